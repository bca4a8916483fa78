package import CrashModel
import Packages

/// How the resolver sees the mirrored releases.
struct Mirrors {
    let index: (ReleaseID) throws -> PackageIndex?
    let mirroredReleases: () throws -> [ReleaseID]
    let syncStatus: (ReleaseID) -> SyncStatus?

    /// - Throws: `index-unusable`: the next synchronisation may well mend it, so the job is tried again.
    func index(of releaseID: ReleaseID) throws(StageError) -> PackageIndex? {
        do {
            return try index(releaseID)
        } catch {
            throw .indexUnusable(releaseID, "\(error)")
        }
    }

    /// The releases with an index; none when the directory of mirrors cannot be read.
    func releases() throws(StageError) -> [ReleaseID] {
        do {
            return try mirroredReleases()
        } catch {
            throw StageError(
                .resolve, .indexUnusable, "The list of mirrored releases cannot be read: \(error).",
                advice: "An operator finds the cause in the resolver's log.", disposition: .retry(after: .seconds(60)))
        }
    }
}

extension StageError.Code {
    /// Nothing that was uploaded tells a release that the plugins know.
    package static let unknownRelease = Self("unknown-release")
    /// The release is known, but it has no package index here.
    package static let releaseNotMirrored = Self("release-not-mirrored")
    /// The index is there and cannot be read.
    package static let indexUnusable = Self("index-unusable")
}

extension StageError {
    /// The next synchronisation may well mend it.
    static func indexUnusable(_ releaseID: ReleaseID, _ cause: String) -> StageError {
        StageError(
            .resolve, .indexUnusable, "The package index of \(releaseID) cannot be used: \(cause).",
            advice: "An operator can make it afresh with \(syncCommand(releaseID)).",
            disposition: .retry(after: .seconds(60)))
    }
}

/// `retrace sync debian 12 x86_64`, as a person types it.
func syncCommand(_ releaseID: ReleaseID) -> String {
    "`retrace sync \(releaseID.release.distribution) \(releaseID.release.version) \(releaseID.architecture)`"
}
