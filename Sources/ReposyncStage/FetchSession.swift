import CrashModel
import Distributions
import Packages
import SystemPackage

/// The fetching of what one crash needs.
struct FetchSession: Sendable {
    private let apt: AptSources
    private let downloader: Downloader
    private let wanted: [OfferedFile]
    private let unobtainable: [String]

    /// A package that the index tells of, and the repository that has it.
    struct OfferedFile: Sendable {
        let nevra: NEVRA
        let file: WantedFile
        let location: String
        let repository: Repository
        let mirror: MirrorDirectory
    }

    /// Looks up where the absent packages of the resolution are to be had.
    init(
        _ resolution: Resolution, _ catalog: DistributionCatalog, _ repositories: FilePath, _ apt: AptSources?,
        _ downloader: Downloader
    ) async throws {
        (wanted, unobtainable) = try await downloader.blocking {
            var wanted: [OfferedFile] = []
            var remarks: [String] = []
            for (releaseID, packages) in Dictionary(grouping: resolution.packagesInMirrors, by: \.releaseID) {
                let packages = packages.map(\.package)
                let known = catalog.distribution(named: releaseID.release.distribution)?.repositories(for: releaseID)
                let found = try Self.look(for: packages, in: MirrorDirectory(releaseID, in: repositories), known ?? [])
                wanted += found.wanted
                remarks += found.remarks
            }
            return (wanted, remarks)
        }
        self.apt = try await downloader.blocking { apt ?? AptSources() }
        self.downloader = downloader
    }

    func run(_ progress: @escaping @Sendable (String, Double) async -> Void) async throws -> FetchReport {
        let total = wanted.reduce(0.0) { $0 + Double($1.file.byteCount) }
        let tally = DownloadTally(total: total, fileCount: wanted.count)
        var report = FetchReport()
        report.remarks = unobtainable
        try await withThrowingTaskGroup(of: (OfferedFile, StageError?).self) { group in
            for (started, offered) in wanted.enumerated() {
                if started >= max(downloader.limits.downloads, 1), let one = try await group.next() {
                    note(one, in: &report)
                }
                group.addTask { (offered, try await fetch(offered, tally, progress)) }
            }
            for try await one in group { note(one, in: &report) }
        }
        return report
    }

    private func note(_ one: (OfferedFile, StageError?), in report: inout FetchReport) {
        guard let error = one.1 else {
            report.fetched.append(one.0.nevra)
            report.byteCount += one.0.file.byteCount
            return
        }
        report.remarks.append("\(one.0.nevra) could not be fetched: \(error.reason)")
        if error.code == .mirrorsUnreachable { report.mayComeLater = true }
    }

    /// - Returns: Why the package cannot be had; nil when it is in the pool.
    /// - Throws: What this machine fails with.
    private func fetch(
        _ offered: OfferedFile, _ tally: DownloadTally, _ progress: @escaping @Sendable (String, Double) async -> Void
    ) async throws -> StageError? {
        let mirror = offered.mirror
        let lock = try await PackageLock(offered.file.sha256, in: mirror, downloader)
        defer { withExtendedLifetime(lock) {} }
        let destination = try mirror.file(at: offered.location)
        if try await downloader.blocking({ fileSize(destination) }) == offered.file.byteCount { return nil }
        let (sha256, repository) = (offered.file.sha256, offered.repository)
        let wasRefused = try await downloader.blocking {
            try repository.checksSignatures && repository.format == .rpm
                && NotedRefusals.contains(sha256, keys: RefusedPackages.keys(of: repository), in: mirror)
        }
        if wasRefused { return Self.badSignature(repository) }
        do {
            try await downloader.fetch(
                offered.file, of: repository, from: repository.addresses(apt), to: lock.download
            ) { count in
                let fraction = tally.add(count)
                await progress(
                    tally.fileCount == 1
                        ? "fetching \(offered.nevra)" : "fetching \(offered.nevra) and \(tally.fileCount - 1) others",
                    fraction)
            }
        } catch let error as StageError where [.mirrorsUnreachable, .alteredFile].contains(error.code) {
            return error
        }
        if let refusal = try await refusal(of: lock.download, offered) {
            try await downloader.blocking {
                try removeFile(lock.download)
                try NotedRefusals.note(sha256, keys: RefusedPackages.keys(of: repository), in: mirror)
            }
            return refusal
        }
        try await downloader.blocking {
            try makeDirectories(destination.removingLastComponent())
            try publish(lock.download, as: destination)
            lock.forget()
        }
        return nil
    }

    /// Why the signature is none; nil when it is good. A `.deb` was named with its digest by signed metadata.
    private func refusal(of file: FilePath, _ offered: OfferedFile) async throws -> StageError? {
        let repository = offered.repository
        guard repository.format == .rpm, repository.checksSignatures else { return nil }
        let keys = try await downloader.keyDatabase(for: repository, of: offered.mirror)
        if try await downloader.isSigned(file, as: offered.file, keys: keys) { return nil }
        return Self.badSignature(repository)
    }

    private static func badSignature(_ repository: Repository) -> StageError {
        .sync(
            .badSignature, "it has no good signature of a key that the plugin names for '\(repository.name)'.")
    }

    private static func look(
        for packages: [ResolvedPackage], in mirror: MirrorDirectory, _ repositories: [Repository]
    ) throws -> (wanted: [OfferedFile], remarks: [String]) {
        guard let index = try PackageIndex(mirror) else { return ([], []) }
        var wanted: [OfferedFile] = []
        var remarks: [String] = []
        for package in packages where !mirror.hasFile(at: package.location) {
            guard let offer = try index.offer(of: package.sha256),
                let known = try index.package(sha256: package.sha256)
            else { continue }
            guard let repository = repositories.first(where: { $0.name == offer.repository }) else {
                remarks.append(
                    "\(package.nevra) could not be fetched: the plugin has no repository '\(offer.repository)' any more."
                )
                continue
            }
            wanted.append(
                OfferedFile(
                    nevra: package.nevra,
                    file: WantedFile(path: offer.path, sha256: known.sha256, byteCount: known.byteCount),
                    location: known.location, repository: repository, mirror: mirror))
        }
        return (wanted, remarks)
    }
}
