package import CrashModel

extension Resolution {
    /// How many modules have each status; every module is counted once.
    package var statusCounts: [ModuleStatus: Int] {
        Dictionary(modules.map { ($0.status, 1) }, uniquingKeysWith: +)
    }

    /// The package of the executable.
    package var crashedPackage: NEVRA? { modules.first { $0.module.kind == .executable }?.binary?.nevra }

    /// What the gateway keeps of the answer: the release, the crashed package, and how many modules were found.
    package var facts: [String: String] {
        let counts = statusCounts
        let fromFiles = modules.count - (counts[.virtual] ?? 0)
        var facts = [
            "modules": String(fromFiles),
            "modules_complete": String(counts[.complete] ?? 0), "release_evidence": printable(releaseEvidence),
        ]
        facts["release"] = releaseID?.description
        facts["package"] = crashedPackage?.description
        facts[TaskFact.packages] = TaskFact.list(
            packages.filter { $0.role == .binary }.map { ($0.nevra.name, $0.nevra.versionText) })
        facts[TaskFact.missingBuildIDs] = TaskFact.list(
            incomplete.filter { $0.status != .unverified }.map { resolved in
                let name = resolved.module.path.split(separator: "/").last.map(String.init)
                return (resolved.module.buildID?.description ?? "-", name ?? resolved.module.path)
            })
        return facts
    }

    /// The table of modules as lines for a person, for the task's log: status, path, package, and the reason if any.
    package var report: [String] {
        [releaseEvidence]
            + modules.map { module in
                let place = module.binary?.nevra.description ?? module.module.buildID?.description ?? "no build-id"
                let reason = module.reason.map { ": \($0)" } ?? ""
                return "\(module.status.rawValue)  \(printable(module.module.path))  (\(place))\(reason)"
            } + remarks
    }

    /// One sentence for the person who waits.
    package var summary: String {
        guard let releaseID else { return releaseEvidence }
        let fromFiles = modules.filter { $0.status != .virtual }.count
        return "found \(packages.count) \(packages.count == 1 ? "package" : "packages") of \(releaseID); "
            + "\(statusCounts[.complete] ?? 0) of \(fromFiles) modules are complete"
    }
}
