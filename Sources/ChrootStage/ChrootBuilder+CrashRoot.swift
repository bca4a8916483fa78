import CrashModel
import Packages
import SystemPackage

/// A crash root that is complete.
struct CrashRoot: Sendable {
    let path: FilePath
    let remarks: [String]
    /// Of a kernel's dump.
    let kernel: KernelFiles?
}

/// A package in the store, and what a root takes of it.
struct RootPart: Sendable {
    let package: NEVRA
    /// In whose mirror it is.
    let releaseID: ReleaseID
    /// Keeps the tree from being evicted while it is linked.
    let lease: PackageLease
    /// Absolute paths; nil for everything.
    var files: [String]?
}

extension ChrootBuilder {
    /// `roots/<task>/` with the packages of the resolution.
    ///
    /// - Throws: ``CrashModel/StageError`` when the store or the file system fails.
    func crashRoot(
        of resolution: Resolution, task: TaskID, progress: BuildProgress
    ) async throws(StageError) -> CrashRoot {
        let place = CrashRootPlace(task: task, in: roots)
        let fingerprint = CrashRootManifest.fingerprint(of: resolution)
        let present = try await blockingCalls(Self.doing) { () throws(Errno) in
            try place.present(ifBuiltFrom: fingerprint)
        }
        if let present { return present }
        let packages = resolution.packagesInMirrors
        let wanted = packages.map { package, releaseID in
            WantedPackage(
                nevra: package.nevra, sha256: package.sha256, location: package.location,
                mirror: MirrorDirectory(releaseID, in: repositories))
        }
        var parts: [RootPart] = []
        var remarks: [String] = []
        var missing: Set<NEVRA> = []
        let answers = try await unpack(wanted, of: "the crash", progress: progress)
        for ((package, releaseID), answer) in zip(packages, answers) {
            switch answer {
            case .leased(let lease):
                parts.append(
                    RootPart(package: package.nevra, releaseID: releaseID, lease: lease, files: package.files))
            case .unavailable(let reason):
                missing.insert(package.nevra)
                remarks.append(Self.remark(on: package.nevra, missing: reason, in: resolution))
            }
        }
        if parts.isEmpty {
            remarks.append("No package of the crash is in the root, so the backtrace has addresses and no names.")
        }
        let proved = try await withoutFalseClaims(parts, resolution: resolution, progress: progress)
        let companions = try await alternateDebugFiles(of: proved.parts, resolution: resolution, progress: progress)
        let plan = CrashRootPlan(
            parts: companions.parts, modules: proved.modules, missing: missing,
            remarks: remarks + proved.remarks + companions.remarks, corrections: proved.corrections)
        progress("linking \(plan.parts.count) packages into a root", nil)
        return try await blockingCalls(Self.doing) { () throws(Errno) in
            try place.build(plan, fingerprint: fingerprint)
        }
    }

    static let doing = "building the crash root"

    /// Which package is not there, why, and which modules that costs.
    private static func remark(on package: NEVRA, missing reason: String, in resolution: Resolution) -> String {
        let without = resolution.modules.filter { $0.binary?.nevra == package }.map(\.module.path)
        let plain = resolution.modules.filter { $0.debuginfo?.nevra == package }.map(\.module.path)
        let costs =
            [list(without, "not there"), list(plain, "without debuginfo")].compactMap(\.self).joined(separator: "; ")
        return "\(package) was left out: \(reason)." + (costs.isEmpty ? "" : " Because of that: \(costs).")
    }

    static func list(_ modules: [String], _ state: String) -> String? {
        guard !modules.isEmpty else { return nil }
        let more = modules.count > 3 ? " and \(modules.count - 3) more" : ""
        return modules.prefix(3).joined(separator: ", ") + more + (modules.count == 1 ? " is " : " are ") + state
    }
}
