package import CrashModel

/// What ingest finds wrong with an upload. ABRT's client words 403 as a malicious or corrupt archive.
extension StageError.Code {
    /// The media type is none that we unpack. HTTP 415.
    package static let unsupportedContentType = Self("unsupported-content-type")
    /// The archive is compressed otherwise than its media type says. HTTP 403.
    package static let contentTypeMismatch = Self("content-type-mismatch")
    /// The bytes are no tar archive at all, or one with nothing in it. HTTP 403.
    package static let notAnArchive = Self("not-an-archive")
    /// The upload ends before the archive does. HTTP 403.
    package static let truncatedArchive = Self("truncated-archive")
    /// The archive contradicts itself. HTTP 403.
    package static let damagedArchive = Self("damaged-archive")
    /// A link, a directory, a device, or a name that leads out of the archive. HTTP 403.
    package static let unsafeMember = Self("unsafe-member")
    /// A name that a crash does not have. HTTP 403.
    package static let unexpectedMember = Self("unexpected-member")
    /// The same name twice. HTTP 403.
    package static let duplicateMember = Self("duplicate-member")
    /// A text file over its limit. HTTP 403.
    package static let memberTooLarge = Self("member-too-large")
    /// A text file with control characters, or one that is not UTF-8. HTTP 403.
    package static let unreadableMember = Self("unreadable-member")
    /// More entries than a crash can have. HTTP 403.
    package static let tooManyMembers = Self("too-many-members")
    /// A file that every crash needs is not there. HTTP 403.
    package static let missingMember = Self("missing-member")
    /// All files together are over the limit of the server. HTTP 413.
    package static let unpackedTooLarge = Self("unpacked-too-large")
    /// So much data out of so few bytes that it can only be meant to fill the disk. HTTP 413.
    package static let decompressionBomb = Self("decompression-bomb")
    /// The file `coredump` is something else. HTTP 403.
    package static let notACoredump = Self("not-a-coredump")
    /// The headers of the core contradict themselves. HTTP 403.
    package static let damagedCoredump = Self("damaged-coredump")
    /// A core of a machine that no distribution here has. HTTP 403.
    package static let unsupportedArchitecture = Self("unsupported-architecture")
    /// Neither the core nor the file `executable` names the program. HTTP 403.
    package static let unknownExecutable = Self("unknown-executable")
    /// A kernel's dump that came as the crash of a program. HTTP 403.
    package static let wrongTaskType = Self("wrong-task-type")
    /// The file `vmcore` is something else. HTTP 403.
    package static let notAVmcore = Self("not-a-vmcore")
    /// The headers of the kernel's dump contradict themselves. HTTP 403.
    package static let damagedVmcore = Self("damaged-vmcore")
    /// The task's directory holds neither the upload nor what was unpacked of it. HTTP 500.
    package static let uploadMissing = Self("upload-missing")
}

extension StageError {
    /// A refusal for good.
    static func refused(_ code: Code, _ reason: String, _ advice: String? = nil) -> StageError {
        StageError(.ingest, code, reason, advice: advice)
    }
}
