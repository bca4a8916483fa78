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
        let output = folders.metadata.appending("described-\(repository.name)")
        try await blocking { try makeDirectories(output) }
        let result: ChildResult
        do {
            result = try await runTool(
                [
                    "createrepo_c", "--quiet", "--update", "--no-database", "--simple-md-filenames", "--revision", "0",
                    "--set-timestamp-to-revision", "--general-compress-type", "gz", "--outputdir", output.string,
                    folder.string,
                ], limits: SandboxLimits(cpuSeconds: 7200, wallTime: .seconds(7200)))
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
