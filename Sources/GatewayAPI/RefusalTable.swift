import CrashModel
import HTTPTypes

extension Refusal {
    /// Ingest's verdict as an HTTP status; the body holds its reason and advice.
    ///
    /// ABRT's client shows 403 as "malicious or corrupt archive", and the body of 500 and 507.
    init(_ error: StageError) {
        self.init(
            Self.status(of: error.code), .ofStage(error.reason, code: error.code),
            advice: error.advice.map { .ofStage($0) })
    }

    /// The statuses of upstream's `/create` by ingest's codes (its steps 15 to 21). A code that is not listed is no
    /// fault of the upload, so it is a 500. The codes are those of `IngestStage`, which this module does not import.
    private static func status(of code: StageError.Code) -> HTTPResponse.Status {
        statuses[code.description] ?? .internalServerError
    }

    private static let statuses: [String: HTTPResponse.Status] = [
        "unsupported-content-type": .unsupportedMediaType,
        // What the client packed wrongly, or what somebody packed on purpose.
        "content-type-mismatch": .forbidden,
        "not-an-archive": .forbidden,
        "truncated-archive": .forbidden,
        "damaged-archive": .forbidden,
        "unsafe-member": .forbidden,
        "unexpected-member": .forbidden,
        "duplicate-member": .forbidden,
        "member-too-large": .forbidden,
        "unreadable-member": .forbidden,
        "too-many-members": .forbidden,
        "missing-member": .forbidden,
        "not-a-coredump": .forbidden,
        "damaged-coredump": .forbidden,
        "unsupported-architecture": .forbidden,
        "unknown-executable": .forbidden,
        "unpacked-too-large": .contentTooLarge,
        "decompression-bomb": .contentTooLarge,
        "wrong-task-type": .forbidden, "not-a-vmcore": .forbidden, "damaged-vmcore": .forbidden,
        "disk-full": .insufficientStorage,
    ]
}
