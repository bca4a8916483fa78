import CrashModel
import Dependencies
import Distributions
import Glibc
import Packages
import RPMRepodata
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
        let (request, mirror, distribution, folders) = (request, mirror, distribution, folders)
        let fingerprint = try await downloader.blocking {
            try CompletedRequest.fingerprint(of: request, distribution, opened)
        }
        let noted = try await downloader.blocking { try NotedRefusals(of: mirror) }
        if noted.keys.isEmpty,
            let same = try await downloader.blocking({ try CompletedRequest(in: folders, of: mirror, if: fingerprint) })
        {
            return SyncReport(
                releaseID: mirror.releaseID, selectedCount: same.selectedCount, downloadedCount: 0, downloadedBytes: 0,
                index: same.index, remarks: same.remarks, refused: try await refusedBefore(),
                duration: clock.now - start)
        }
        await progress.report("selecting packages", 0.08, always: true)
        let selection = try await downloader.blocking {
            try RPMSelection(request, repositories: opened, debuggers: distribution.packagedDebuggers)
        }
        let keys = try await downloader.blocking { try opened.map { try RefusedPackages.keys(of: $0.repository) } }
        let known = try await downloader.blocking {
            var known = try RefusedPackages(in: folders)
            known.take(noted)
            return known
        }
        let kept = KeptVersions(distribution.repositories(for: request.releaseID))
        let old = Set(kept?.outdated(selection.packages) { $0.offered.nevra } ?? [])
        let current = selection.packages.filter { !old.contains($0) }
        let wanted = current.filter { !known.contains($0.sha256, keys: keys[$0.repository]) }
        let trusted = try await downloader.blocking { try mirroredDigests(mirror) }
        let absent = try await downloader.blocking {
            try wanted.filter { wanted in
                let file = try mirror.file(at: wanted.location)
                // What no index tells of was left by a synchronisation that did not end; it is taken on its digest only.
                return trusted.contains(wanted.sha256)
                    ? fileSize(file) != wanted.offered.byteCount
                    : try !isFile(file, sha256: wanted.sha256, byteCount: wanted.offered.byteCount)
            }
        }
        let (refused, unfetched) = try await fetchRPMs(absent, opened)
        var refusals = known
        for package in refused { refusals.insert(package.sha256, keys: keys[package.repository]) }
        let allRefusals = refusals
        try await downloader.blocking { try allRefusals.write(to: folders) }
        await progress.report("making the package index", 0.8, always: true)
        try await describeMirror()
        let outdated = try await downloader.blocking { try kept?.outdated(in: mirror) ?? [] }
        let offers = LazyOffers(opened, keys: keys, refused: allRefusals)
        let index = try await publishRPMIndex(without: Set(outdated.map(\.sha256)), offers: offers)
        try await remove(outdated)
        // Metadata whose packages do not come is not remembered as the newest: its mirror may be the one that lies.
        if let failure = unfetched.failure(of: absent.count) { throw failure }
        let left = Set(current).subtracting(wanted).union(refused)
        let names = Set(left.map(\.offered.nevra)).union(offers.refusals).map(\.description).sorted()
        let sentences = names.map {
            "\($0) has no good signature of a key that the plugin names and was left out."
        }
        let fetched = absent.filter { !refused.contains($0) }
        let remarks = missing + selection.remarks + sentences + outdatedRemark(outdated) + index.remarks
        try await downloader.blocking {
            for repository in opened { try repository.revision.accept(for: repository.repository, in: folders) }
            try removeReplacedMetadata(of: opened, in: folders)
            try noted.forget(in: mirror)
            try CompletedRequest(
                selectedCount: current.count - left.count, remarks: remarks, index: index.summary
            ).write(to: folders, fingerprint)
        }
        return SyncReport(
            releaseID: mirror.releaseID, selectedCount: current.count - left.count,
            downloadedCount: fetched.count, downloadedBytes: fetched.reduce(0) { $0 + $1.offered.byteCount },
            index: index.summary, remarks: remarks, refused: names, duration: clock.now - start)
    }

    /// What the last synchronisation refused, which an unchanged repository still has.
    private func refusedBefore() async throws -> [String] {
        let mirror = mirror
        return try await downloader.blocking { SyncStatus(of: mirror)?.refused ?? [] }
    }

    private func openRPMRepositories() async throws -> (opened: [RPMRepository], remarks: [String]) {
        let repositories = distribution.repositories(for: request.releaseID)
        guard distribution.isEnabled, !repositories.isEmpty else { throw refusal(repositories) }
        var opened: [RPMRepository] = []
        var remarks = [KeptVersions.remark(repositories)].compactMap { $0 }
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
            } catch let error as StageError where repository.isOptional {
                remarks.append(try await downloader.blocking { try absent.remember(error) })
            }
            if !repository.checksSignatures {
                remarks.append("The packages of repository '\(repository.name)' are taken UNSIGNED: gpgcheck is false.")
            }
        }
        return (opened, remarks)
    }

    /// Downloads and verifies; gives the packages whose signatures were not good, and those that did not come.
    private func fetchRPMs(
        _ absent: [WantedRPM], _ repositories: [RPMRepository]
    ) async throws -> (refused: Set<WantedRPM>, unfetched: UnfetchedPackages) {
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
        return try await withThrowingTaskGroup(of: (WantedRPM, FetchedRPM).self) { group in
            var refused: Set<WantedRPM> = []
            var unfetched = UnfetchedPackages()
            func note(_ one: (package: WantedRPM, outcome: FetchedRPM)?) {
                guard let (package, outcome) = one else { return }
                if case .refused = outcome { refused.insert(package) }
                if case .failed(let error) = outcome {
                    unfetched.note(package.sha256, error)
                } else {
                    unfetched.note(package.sha256, nil)
                }
            }
            for (started, wanted) in absent.enumerated() {
                if started >= max(downloader.limits.downloads, 1) { note(try await group.next()) }
                if unfetched.isHopeless { break }
                let repository = repositories[wanted.repository]
                let folder = keys.appending(String(wanted.repository))
                group.addTask { (wanted, try await fetch(wanted, repository, keys: folder, tally)) }
            }
            for try await one in group { note(one) }
            return (refused, unfetched)
        }
    }

    private func fetch(
        _ wanted: WantedRPM, _ repository: RPMRepository, keys: FilePath, _ tally: DownloadTally
    ) async throws -> FetchedRPM {
        // The name must not end in .rpm before the signature was checked: that is what the mirror is made of.
        let unverified = mirror.pool.appending("\(wanted.sha256).unverified")
        let file = WantedFile(
            path: wanted.offered.location, sha256: wanted.sha256, byteCount: wanted.offered.byteCount)
        do {
            try await downloader.fetch(file, of: repository.repository, from: repository.mirrors, to: unverified) {
                await progress.report("downloading \(tally.fileCount) packages", 0.1 + 0.7 * tally.add($0))
            }
        } catch let error as StageError where UnfetchedPackages.isOfOnePackage(error) {
            return .failed(error)
        }
        var isTrusted = !repository.repository.checksSignatures
        if !isTrusted { isTrusted = try await downloader.isSigned(unverified, as: file, keys: keys) }
        let isAccepted = isTrusted
        let destination = try mirror.file(at: wanted.location)
        try await downloader.blocking {
            guard isAccepted else { return try removeFile(unverified) }
            try makeDirectories(destination.removingLastComponent())
            try publish(unverified, as: destination)
        }
        return isAccepted ? .taken : .refused
    }

    /// Removes package files that no index tells of any more.
    private func remove(_ outdated: [RepodataPackage]) async throws {
        guard !outdated.isEmpty else { return }
        let mirror = mirror
        try await downloader.blocking {
            for package in outdated { try removeFile(try mirror.file(at: package.location)) }
        }
        try await describeMirror()
    }

    private func outdatedRemark(_ outdated: [RepodataPackage]) -> [String] {
        guard let first = outdated.map(\.nevra.description).min() else { return [] }
        let more = outdated.count > 1 ? " and \(outdated.count - 1) others" : ""
        return ["\(first)\(more) gave way to newer versions, as the plugin's 'keep' says."]
    }

    /// Describes all RPMs of the mirror by their own headers, for libsolv and for the index: `solvables/primary.xml.gz` and
    /// its file lists.
    private func describeMirror() async throws {
        let output = folders.metadata.appending("mirrored")
        let mirror = mirror
        try await downloader.blocking { try makeDirectories(output) }
        let result = try await runTool(
            [
                "createrepo_c", "--quiet", "--update", "--no-database", "--simple-md-filenames",
                "--general-compress-type", "gz", "--outputdir", output.string, mirror.path.string,
            ], limits: .describing)
        guard result.succeeded else {
            throw StageError.sync(
                .indexFailed, "createrepo_c could not describe the mirror.", retryAfter: .seconds(60),
                exitStatus: result.termination.exitStatus,
                toolOutput: String(decoding: result.standardError, as: UTF8.self))
        }
        let work = folders.work
        try await downloader.blocking {
            for name in ["filelists.xml.gz", "primary.xml.gz"] {
                let aside = work.appending(name)
                // createrepo_c replaces its folder and writes into no file that was there before.
                try removeFile(aside)
                guard link(output.appending("repodata").appending(name).string, aside.string) == 0 else {
                    throw Errno(rawValue: errno)
                }
                try publish(aside, as: mirror.solvables.appending(name))
            }
        }
    }

    /// The index of what the verified packages say of themselves; the metadata of the repositories may say anything.
    ///
    /// - Parameters:
    ///   - outdated: The digests of packages that it leaves out.
    ///   - offers: What it has besides, to be fetched on first need.
    private func publishRPMIndex(
        without outdated: Set<String>, offers: LazyOffers
    ) async throws -> (summary: PackageIndexSummary, remarks: [String]) {
        let mirror = mirror
        return try await downloader.publishIndex(of: mirror, progress: progress) { builder in
            do {
                try await downloader.stage(
                    primary: mirror.solvables.appending("primary.xml.gz"),
                    fileLists: mirror.solvables.appending("filelists.xml.gz"), into: builder
                ) { package in
                    guard !outdated.contains(package.sha256) else { return nil }
                    return StagedPackage(
                        IndexedPackage(repodata: package, location: package.location), names: package.files)
                }
            } catch let error as RepodataError {
                throw StageError.sync(.indexFailed, "The mirror's own metadata cannot be read: \(error).")
            }
            try await offers.add(to: builder, downloader)
            return []
        }
    }
}

/// What became of one package.
private enum FetchedRPM: Sendable {
    case taken
    case refused
    case failed(StageError)
}

/// The digests of the packages that the published index tells of. Blocking.
private func mirroredDigests(_ mirror: MirrorDirectory) throws -> Set<String> {
    // An index that cannot be read is made afresh; until then every file is checked.
    guard let index = try? PackageIndex(mirror) else { return [] }
    var digests: Set<String> = []
    try index.forEachPackage { package in digests.insert(package.sha256) }
    return digests
}
