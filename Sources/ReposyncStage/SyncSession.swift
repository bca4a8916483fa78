import CrashModel
import Distributions
import Packages
import SystemPackage

/// One synchronisation of one release, from the lock to the published index.
struct SyncSession: Sendable {
    let request: SyncRequest
    let distribution: Distribution
    let mirror: MirrorDirectory
    let downloader: Downloader
    let progress: SyncProgress

    var folders: SyncFolders {
        SyncFolders(work: mirror.path.appending("work"), metadata: mirror.path.appending("metadata"))
    }

    func run(apt: AptSources?) async throws -> SyncReport {
        let mirror = mirror
        let folders = folders
        let (lock, isAfterDeath) = try await downloader.blocking {
            try makeDirectories(mirror.path)
            let lock = try SyncLock(mirror.path.appending("lock"), releaseID: mirror.releaseID)
            for folder in [mirror.pool, mirror.solvables, folders.metadata] { try makeDirectories(folder) }
            let isAfterDeath = fileSize(folders.begun) != nil
            try makeWorkFolder(folders.work)
            try writeFile([], to: folders.begun)
            // A disk that fills up must still take the note that it did.
            try writeFile([UInt8](repeating: 0x20, count: 65536), to: folders.reserve)
            return (lock, isAfterDeath)
        }
        defer { withExtendedLifetime(lock) {} }
        do {
            if isAfterDeath {
                // After some deaths nobody tries any more; the release must not look healthy then.
                try await note(nil, failure: "The last synchronisation did not come to its end: its process died.")
            }
            let sources = try await downloader.blocking { apt ?? AptSources() }
            let report =
                switch distribution.packageFormat {
                case .deb: try await workOnDebs(apt: sources)
                case .rpm: try await workOnRPMs()
                }
            try await note(report, failure: nil)
            try await downloader.blocking {
                try makeWorkFolder(folders.work)
                try removeLeftovers(of: mirror)
            }
            return report
        } catch {
            let reason = (error as? StageError)?.reason ?? "The mirror's disk or this service stopped it: \(error)."
            try? await downloader.blocking { try removeFile(folders.reserve) }
            // What stopped the synchronisation says more than that its note could not be written either.
            try? await note(nil, failure: reason)
            try? await downloader.blocking { try removeFile(folders.begun) }
            throw error
        }
    }

    private func workOnDebs(apt: AptSources) async throws -> SyncReport {
        let clock = ContinuousClock()
        let start = clock.now
        let (request, distribution, mirror, folders) = (request, distribution, mirror, folders)
        let (opened, missing) = try await openSuites(apt)
        let fingerprint = CompletedRequest.fingerprint(of: request, distribution, opened)
        if let same = try await downloader.blocking({ try CompletedRequest(in: folders, of: mirror, if: fingerprint) })
        {
            return SyncReport(
                releaseID: mirror.releaseID, selectedCount: same.selectedCount, downloadedCount: 0, downloadedBytes: 0,
                index: same.index, remarks: same.remarks, duration: clock.now - start)
        }
        let (suites, unlisted) = try await readLists(of: opened)
        await progress.report("selecting packages", 0.08, always: true)
        let inventory = try await downloader.blocking { try MirrorInventory(mirror) }
        let selection = try await downloader.blocking {
            try PackageSelection(request, suites: suites, distribution: distribution) { package in
                mirror.byteCount(at: inventory.location(for: package)) == package.byteCount
            }
        }
        var places = inventory
        let wanted = places.place(selection.packages)
        let (new, fetched, unfetched) = try await fetchMissing(wanted, inventory, suites)
        let taken = places
        await progress.report("making the package index", 0.8, always: true)
        let stanzas = folders.work.appending("Packages")
        let listBytes = downloader.limits.listBytes
        try await downloader.blocking { try writeStanzas(of: mirror, adding: new, to: stanzas) }
        let index = try await downloader.publishIndex(of: mirror, progress: progress) { builder in
            try await downloader.blocking {
                let unknown = try carryOver(stanzas: stanzas, into: builder)
                try addOffers(
                    of: suites, besides: selection.packages, taken, limit: listBytes, to: builder)
                return unknown
            }
        }
        let remarks = missing + unlisted + selection.remarks + index.remarks
        try await downloader.blocking { try publish(stanzas, as: mirror.debianStanzas) }
        if let failure = unfetched.failure(of: unfetched.digests.count + fetched.count) { throw failure }
        try await downloader.blocking {
            for suite in suites { try accept(suite, folders) }
            try CompletedRequest(selectedCount: selection.packages.count, remarks: remarks, index: index.summary)
                .write(to: folders, fingerprint)
        }
        return SyncReport(
            releaseID: mirror.releaseID, selectedCount: selection.packages.count, downloadedCount: fetched.count,
            downloadedBytes: fetched.reduce(0) { $0 + $1.byteCount }, index: index.summary, remarks: remarks,
            duration: clock.now - start)
    }

    /// Opens every repository; an optional one that is not there becomes a remark.
    private func openSuites(_ apt: AptSources) async throws -> (suites: [DebianSuite], remarks: [String]) {
        let repositories = distribution.repositories(for: request.releaseID)
        guard distribution.isEnabled, !repositories.isEmpty else { throw refusal(repositories) }
        var suites: [DebianSuite] = []
        var remarks: [String] = []
        for (number, repository) in repositories.enumerated() {
            await progress.report(
                "reading the index of repository '\(repository.name)'",
                0.02 * Double(number) / Double(repositories.count), always: true)
            let absent = AbsentRepository(repository, in: folders)
            if repository.isOptional, let remark = try await downloader.blocking({ try absent.remark() }) {
                remarks.append(remark)
                continue
            }
            do {
                let suite = try await downloader.openSuite(repository, apt: apt, folders: folders)
                try await downloader.blocking { try absent.forget() }
                remarks += [suite.remark].compactMap { $0 }
                suites.append(suite)
            } catch let error as StageError where repository.isOptional {
                remarks.append(try await downloader.blocking { try absent.remember(error) })
            }
        }
        return (suites, remarks)
    }

    /// Fetches what the suites list; an optional one that has no list for the architecture becomes a remark.
    private func readLists(
        of opened: [DebianSuite]
    ) async throws -> (suites: [DebianSuite], remarks: [String]) {
        var suites: [DebianSuite] = []
        var remarks: [String] = []
        for (number, suite) in opened.enumerated() {
            await progress.report(
                "reading the package lists of repository '\(suite.repository.name)'",
                0.02 + 0.06 * Double(number) / Double(opened.count), always: true)
            var suite = suite
            do {
                suite.lists = try await downloader.fetchLists(
                    of: suite, architecture: request.releaseID.architecture, folders: folders)
            } catch let error as StageError where suite.repository.isOptional && error.code == .repositoryMissing {
                remarks.append("The optional repository '\(suite.repository.name)' was left out: \(error.reason)")
                continue
            }
            suite.contents = try await downloader.fetchContents(
                of: suite, architecture: request.releaseID.architecture, folders: folders)
            suites.append(suite)
        }
        return (suites, remarks)
    }

    func refusal(_ repositories: [Repository]) -> StageError {
        let name = distribution.displayName(of: request.releaseID.release)
        if !distribution.isEnabled {
            return .sync(
                .unknownRelease, "\(name) is known, but its plugin says 'enabled: false'.",
                advice: "Put the distribution's keys below gpg/ as gpg/README.md says, then enable the plugin.")
        }
        return .sync(
            .unknownRelease, "The plugin names no repository for \(name) on \(request.releaseID.architecture).",
            advice: "Add repositories to the distribution's file in plugins/.")
    }

    /// Downloads what the mirror does not have, several at once.
    ///
    /// - Returns: The packages whose stanzas are new, those that had to be downloaded, and those that did not come.
    private func fetchMissing(
        _ wanted: [PlacedPackage], _ inventory: MirrorInventory, _ suites: [DebianSuite]
    ) async throws -> (new: [PlacedPackage], fetched: [ArchivePackage], unfetched: UnfetchedPackages) {
        let mirror = mirror
        let absent = try await downloader.blocking {
            try wanted.filter { placed in
                let file = try mirror.file(at: placed.location)
                // A file that an earlier, unfinished synchronisation left is taken on its digest only.
                return inventory.locations[placed.package.sha256] == nil
                    ? try !isFile(file, sha256: placed.package.sha256, byteCount: placed.package.byteCount)
                    : fileSize(file) != placed.package.byteCount
            }
        }
        let total = absent.reduce(0.0) { $0 + Double($1.package.byteCount) }
        let tally = DownloadTally(total: total, fileCount: absent.count)
        let (unfetched, left) = try await withThrowingTaskGroup(of: (String, StageError?).self) { group in
            var unfetched = UnfetchedPackages()
            var left = absent[...]
            while let placed = left.first, !unfetched.isHopeless {
                if absent.count - left.count >= max(downloader.limits.downloads, 1), let one = try await group.next() {
                    unfetched.note(one.0, one.1)
                }
                left.removeFirst()
                group.addTask {
                    do {
                        try await fetch(placed, suites, tally)
                        return (placed.package.sha256, nil)
                    } catch let error as StageError where UnfetchedPackages.isOfOnePackage(error) {
                        return (placed.package.sha256, error)
                    }
                }
            }
            for try await (sha256, error) in group { unfetched.note(sha256, error) }
            return (unfetched, Set(left.map(\.package.sha256)))
        }
        let missing = left.union(unfetched.digests)
        return (
            wanted.filter {
                inventory.locations[$0.package.sha256] == nil && !missing.contains($0.package.sha256)
            }, absent.map(\.package).filter { !missing.contains($0.sha256) }, unfetched
        )
    }

    private func fetch(
        _ placed: PlacedPackage, _ suites: [DebianSuite], _ tally: DownloadTally
    ) async throws {
        let package = placed.package
        let wanted = WantedFile(path: package.path, sha256: package.sha256, byteCount: package.byteCount)
        let file = try mirror.file(at: placed.location)
        let suite = suites[package.repository]
        try await downloader.fetch(wanted, of: suite.repository, from: suite.mirrors, to: file) { count in
            let fraction = tally.add(count)
            await progress.report("downloading \(tally.fileCount) packages", 0.1 + 0.7 * fraction)
        }
    }

    /// Writes `sync.json`; after a failure it keeps what the last good synchronisation had to say.
    private func note(_ report: SyncReport?, failure: String?) async throws {
        let mirror = mirror
        let unsigned = distribution.repositories(for: mirror.releaseID).filter { !$0.checksSignatures }.map(\.name)
        try await downloader.blocking {
            let now = microsecondsNow() / 1_000_000
            let counts = try mirroredCounts(mirror)
            let last = SyncStatus(of: mirror)
            let status = SyncStatus(
                finishedAt: now, failure: failure, packageCount: counts.packages,
                byteCount: counts.bytes, lastSuccessAt: failure == nil ? now : last?.lastSuccessAt,
                remarks: report?.remarks ?? last?.remarks ?? [], refused: report?.refused ?? last?.refused ?? [],
                unsignedRepositories: unsigned)
            try status.write(to: mirror)
        }
    }
}

/// Remembers the signed text of a suite, by which an older one is known later. Blocking.
private func accept(_ suite: DebianSuite, _ folders: SyncFolders) throws {
    let aside = folders.work.appending("\(suite.repository.name).accepted")
    try writeFile(suite.signedText, to: aside)
    try publish(aside, as: folders.metadata.appending("\(suite.repository.name).release"))
}

/// The packages in service, and the bytes of those that are fetched; of which format ever. Blocking.
private func mirroredCounts(_ mirror: MirrorDirectory) throws -> (packages: Int, bytes: UInt64) {
    // The note of a synchronisation that failed because of a damaged index must still be written.
    guard let index = try? PackageIndex(mirror) else { return (0, 0) }
    var counts = (packages: 0, bytes: UInt64(0))
    try index.forEachPackage { package in
        counts.packages += 1
        if !package.isOffered { counts.bytes += package.byteCount }
    }
    return counts
}
