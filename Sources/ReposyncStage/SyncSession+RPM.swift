import CrashModel
import Dependencies
import Distributions
import Packages
import Sandbox
import SystemPackage

extension SyncSession {
    /// Mirrors RPM repositories: every package is verified with rpmkeys before it reaches the pool.
    ///
    /// A package that is not signed as the plugin demands is named in the report and left out; nothing refers to it.
    func workOnRPMs() async throws -> SyncReport {
        let clock = ContinuousClock()
        let start = clock.now
        let (opened, missing) = try await openRPMRepositories()
        let (request, mirror) = (request, mirror)
        let debugger = distribution.debugger.package
        await progress.report("selecting packages", 0.08, always: true)
        let selection = try await downloader.blocking {
            try RPMSelection(request, repositories: opened, debugger: debugger)
        }
        let absent = try await downloader.blocking {
            try selection.packages.filter { wanted in
                fileSize(try mirror.file(at: wanted.location)) != wanted.offered.byteCount
            }
        }
        let unsigned = try await fetchRPMs(absent, opened)
        await progress.report("making the package index", 0.8, always: true)
        let own = try await describeMirror()
        let index = try await publishRPMIndex(own)
        let fetched = absent.filter { !unsigned.contains($0) }
        let refusals = unsigned.map {
            "\($0.offered.package.nevra) has no good signature of a key that the plugin names and was left out."
        }
        return SyncReport(
            releaseID: mirror.releaseID, selectedCount: selection.packages.count - unsigned.count,
            downloadedCount: fetched.count, downloadedBytes: fetched.reduce(0) { $0 + $1.offered.byteCount },
            index: index.summary, remarks: missing + selection.remarks + refusals + index.remarks,
            duration: clock.now - start)
    }

    private func openRPMRepositories() async throws -> (opened: [RPMRepository], remarks: [String]) {
        let repositories = distribution.repositories(for: request.releaseID)
        guard distribution.isEnabled, !repositories.isEmpty else { throw refusal(repositories) }
        var opened: [RPMRepository] = []
        var remarks: [String] = []
        for (number, repository) in repositories.enumerated() {
            await progress.report(
                "reading the metadata of repository '\(repository.name)'",
                0.07 * Double(number) / Double(repositories.count), always: true)
            let absent = AbsentRepository(repository, in: folders)
            if repository.isOptional, let remark = try await downloader.blocking({ try absent.remark() }) {
                remarks.append(remark)
                continue
            }
            do {
                opened.append(try await downloader.openRPMRepository(repository, folders: folders))
                try await downloader.blocking { try absent.forget() }
            } catch let error as StageError where repository.isOptional && error.code == .mirrorsUnreachable {
                remarks.append(try await downloader.blocking { try absent.remember(error) })
            }
            if !repository.checksSignatures {
                remarks.append("The packages of repository '\(repository.name)' are taken UNSIGNED: gpgcheck is false.")
            }
        }
        return (opened, remarks)
    }

    /// Downloads and verifies; gives the packages whose signatures were not good.
    private func fetchRPMs(_ absent: [WantedRPM], _ repositories: [RPMRepository]) async throws -> Set<WantedRPM> {
        let keys = mirror.path.appending("rpm-keys")
        for (number, repository) in repositories.enumerated() where repository.repository.checksSignatures {
            let folder = keys.appending(String(number))
            let old = try await runTool(["rm", "-rf", folder.string])
            guard old.succeeded else { throw StageError.mirrorStorage("remove old keys", Errno.ioError) }
            try await downloader.blocking { try makeDirectories(folder) }
            try await makeKeyDatabase(for: repository.repository, in: folder)
        }
        let total = absent.reduce(0.0) { $0 + Double($1.offered.byteCount) }
        let tally = DownloadTally(total: total, fileCount: absent.count)
        return try await withThrowingTaskGroup(of: WantedRPM?.self) { group in
            var unsigned: Set<WantedRPM> = []
            for (started, wanted) in absent.enumerated() {
                if started >= max(downloader.limits.downloads, 1), let refused = try await group.next() ?? nil {
                    unsigned.insert(refused)
                }
                let repository = repositories[wanted.repository]
                let folder = keys.appending(String(wanted.repository))
                group.addTask { try await fetch(wanted, repository, keys: folder, tally) ? nil : wanted }
            }
            for try await refused in group {
                if let refused { unsigned.insert(refused) }
            }
            return unsigned
        }
    }

    private func fetch(
        _ wanted: WantedRPM, _ repository: RPMRepository, keys: FilePath, _ tally: DownloadTally
    ) async throws -> Bool {
        // The name must not end in .rpm before the signature was checked: that is what the mirror is made of.
        let unverified = mirror.pool.appending("\(wanted.sha256).unverified")
        let file = WantedFile(
            path: wanted.offered.package.location, sha256: wanted.sha256, byteCount: wanted.offered.byteCount)
        try await downloader.fetch(file, from: repository.mirrors, to: unverified) { count in
            await progress.report("downloading \(tally.fileCount) packages", 0.1 + 0.7 * tally.add(count))
        }
        var isTrusted = !repository.repository.checksSignatures
        if !isTrusted { isTrusted = try await isSigned(unverified, keys: keys) }
        let isAccepted = isTrusted
        let destination = try mirror.file(at: wanted.location)
        try await downloader.blocking {
            guard isAccepted else { return try removeFile(unverified) }
            try makeDirectories(destination.removingLastComponent())
            try publish(unverified, as: destination)
        }
        return isAccepted
    }

    /// Describes all RPMs of the mirror, for libsolv and for the index: `solvables/primary.xml.gz` and its file lists.
    private func describeMirror() async throws -> [OfferedPackage] {
        let output = folders.metadata.appending("mirrored")
        let mirror = mirror
        try await downloader.blocking { try makeDirectories(output) }
        let limits = SandboxLimits(cpuSeconds: 7200, wallTime: .seconds(7200))
        let result = try await runTool(
            [
                "createrepo_c", "--quiet", "--update", "--no-database", "--simple-md-filenames",
                "--general-compress-type", "gz", "--outputdir", output.string, mirror.path.string,
            ], limits: limits)
        guard result.succeeded else {
            throw StageError.sync(
                .indexFailed, "createrepo_c could not describe the mirror.", retryAfter: .seconds(60),
                exitStatus: result.termination.exitStatus,
                toolOutput: String(decoding: result.standardError, as: UTF8.self))
        }
        let architecture = request.releaseID.architecture
        let work = folders.work
        return try await downloader.blocking {
            for name in ["filelists.xml.gz", "primary.xml.gz"] {
                let aside = work.appending(name)
                try writeFile(try readFile(output.appending("repodata").appending(name), limit: 1 << 30), to: aside)
                try publish(aside, as: mirror.solvables.appending(name))
            }
            let metadata = RPMMetadata(primary: mirror.solvables.appending("primary.xml.gz"))
            do throws(DependencyError) {
                return try DependencySolver(rpmMetadata: [metadata], architecture: architecture).offered()
            } catch {
                throw StageError.sync(.indexFailed, "The mirror's own metadata cannot be read: \(error).")
            }
        }
    }

    private func publishRPMIndex(
        _ own: [OfferedPackage]
    ) async throws -> (summary: PackageIndexSummary, remarks: [String]) {
        let packages = own.compactMap { offered in
            offered.package.sha256.map { sha256 in
                IndexedPackage(
                    nevra: offered.package.nevra, sha256: sha256, location: offered.package.location,
                    byteCount: offered.byteCount, kind: PackageKind(packageName: offered.package.nevra.name),
                    source: SourcePackage(name: offered.sourceName, version: offered.sourceVersion))
            }
        }
        return try await downloader.publishIndex(of: mirror, progress: progress) { builder in
            try packages.filter { try !builder.carryOver($0) }
        }
    }
}
