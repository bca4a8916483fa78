import CrashModel
import Distributions
import Sandbox
import SystemPackage

extension Downloader {
    /// Where the metadata of a mirror is: a local folder that holds packages and no `repodata` is described by the packages'
    /// own headers, aside; any other mirror has its own.
    ///
    /// The description says the same for the same packages, so that an unchanged folder costs nothing.
    ///
    /// - Throws: ``MirrorFailure`` when createrepo_c cannot describe the folder.
    func describedIfBare(
        _ mirror: MirrorAddress, of repository: Repository, _ folders: SyncFolders
    ) async throws -> MirrorAddress {
        guard case .folder(let folder) = mirror else { return mirror }
        let isBare = try await blocking {
            isDirectory(folder) && fileSize(folder.appending("repodata/repomd.xml")) == nil
        }
        guard isBare else { return mirror }
        guard try await blocking({ try holdsPackages(folder) }) else {
            // Such as the place of a disk that is not mounted.
            throw MirrorFailure(.missing, "it has neither repodata nor packages")
        }
        let output = folders.metadata.appending("described-\(repository.name)")
        try await blocking { try makeDirectories(output) }
        let result: ChildResult
        do {
            result = try await runTool(
                [
                    "createrepo_c", "--quiet", "--update", "--no-database", "--simple-md-filenames", "--revision", "0",
                    "--set-timestamp-to-revision", "--general-compress-type", "gz", "--outputdir", output.string,
                    folder.string,
                ], limits: .describing)
        } catch {
            if error.code == .cancelled { throw CancellationError() }
            throw StageError.sync(.internalError, "createrepo_c could not be run: \(error).", retryAfter: .seconds(60))
        }
        guard result.succeeded else {
            throw MirrorFailure(.unreachable, "it has no repodata, and its packages could not be described")
        }
        return .folder(output)
    }
}

/// Whether there is an RPM in a folder or below it. Blocking.
func holdsPackages(_ folder: FilePath, depth: Int = 16) throws -> Bool {
    var folders: [FilePath] = []
    for name in try names(in: folder) {
        let path = folder.appending(name)
        if name.hasSuffix(".rpm"), fileSize(path) != nil { return true }
        if depth > 0, isDirectory(path) { folders.append(path) }
    }
    return try folders.contains { try holdsPackages($0, depth: depth - 1) }
}

extension SandboxLimits {
    /// For createrepo_c, which reads all of a distribution the first time, and writes lists of gigabytes.
    static let describing = SandboxLimits(
        memoryBytes: 16 << 30, cpuSeconds: 86_400, wallTime: .seconds(86_400), outputBytes: 1 << 20,
        fileBytes: 16 << 30, processes: 4096)
}
