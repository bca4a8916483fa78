import Archives
import CrashModel

extension StageError {
    /// What trouble with the archive or the disk means for the task.
    init(_ error: ArchiveError) {
        switch error.code {
        case .notAnArchive, .unsupported:
            self = .refused(
                .notAnArchive, "The upload is not a tar archive.",
                "Pack the files of the crash with tar, compressed as the media type says.")
        case .truncated:
            self = .refused(
                .truncatedArchive, "The archive ends in the middle: it was cut off before or during the upload.",
                "Check that the disk of the sending machine was not full, then pack and send it again.")
        case .damaged:
            self = .refused(
                .damagedArchive, "The archive is damaged and cannot be unpacked to its end.", "Pack and send it again.")
        case .tooManyEntries:
            self = .refused(.tooManyMembers, "The archive has more members than a crash can have.")
        case .tooManyBytes:
            self = .refused(.unpackedTooLarge, "The archive unpacks to more than this server takes.")
        case .noSpace: self = .noSpaceLeft()
        case .system:
            self = StageError(
                .ingest, .internalError, "The server could not write or read the files of this task.",
                advice: "Try again later; its operator finds the cause in the log.",
                disposition: .retry(after: .seconds(30)), toolOutput: error.message)
        }
    }

    static func noSpaceLeft() -> StageError {
        StageError(
            .ingest, .diskFull, "The server has not enough free space to unpack this upload.",
            advice: "Try again later, or tell the server's operator.", disposition: .retry(after: .seconds(60)))
    }
}
