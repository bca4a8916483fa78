import HTTPTypes
import Hummingbird

/// What a request to `/create` says of its body, once it has passed every check that needs no disk.
struct UploadHeaders: Equatable {
    /// The media type, without parameters.
    let contentType: String
    /// In bytes.
    let contentLength: Int
    /// `X-Task-Type`; 0 where it is absent or a number that nobody knows.
    let taskType: Int

    /// Checks in upstream's order, so that a request with two faults gets the same answer as there.
    ///
    /// - Throws: ``Refusal`` with 405, 415, 411, 400, 413, 403 or 409.
    init(_ request: HTTPRequest, _ limits: GatewayLimits) throws(Refusal) {
        guard request.method == .post else {
            throw Refusal(.methodNotAllowed, "Coredumps are sent here with POST.", advice: "See the front page.")
        }
        contentType = try Self.contentType(request.headerFields[.contentType], limits)
        contentLength = try Self.contentLength(request.headerFields[.contentLength], limits)
        guard request.headerFields[.coreFileDirectory] == nil else {
            throw Refusal(
                .forbidden, "This server takes no coredump from a directory of its own.",
                advice: "Send the archive in the body, without X-CoreFileDirectory.")
        }
        taskType = try Self.taskType(request.headerFields[.taskType], limits)
    }

    private static func contentType(_ field: String?, _ limits: GatewayLimits) throws(Refusal) -> String {
        let name = field?.split(separator: ";", omittingEmptySubsequences: false).first.map(String.init) ?? ""
        let type = name.drop { $0 == " " }.prefix { $0 != " " }
        guard limits.formats.contains(String(type)) else {
            throw Refusal(
                .unsupportedMediaType, "An upload of this media type is not taken.",
                advice: "Taken are: \(limits.formats.joined(separator: ", ")).")
        }
        return String(type)
    }

    private static func contentLength(_ field: String?, _ limits: GatewayLimits) throws(Refusal) -> Int {
        guard let field else {
            throw Refusal(
                .lengthRequired, "The upload does not say how long it is.",
                advice: "Send Content-Length; chunked uploads are not taken.")
        }
        guard isDigits(field) else { throw Refusal(.badRequest, "Content-Length is not a number of bytes.") }
        guard let length = Int(field), length <= limits.maxPackedBytes else {
            throw Refusal.tooLarge(limits)
        }
        return length
    }

    private static func taskType(_ field: String?, _ limits: GatewayLimits) throws(Refusal) -> Int {
        guard let field else { return 0 }
        guard isDigits(field.first == "-" ? field.dropFirst() : field[...]) else {
            throw Refusal(.badRequest, "X-Task-Type is not a number.", advice: "Send 0 for a coredump, 2 for a vmcore.")
        }
        let type = Int(field).flatMap { (0...4).contains($0) ? $0 : nil } ?? 0
        guard type < 3 || limits.allowInteractive else {
            throw Refusal(
                .conflict, "This server keeps no task for an interactive session.",
                advice: "Send 0 for a coredump, 2 for a vmcore.")
        }
        return type
    }
}

extension Refusal {
    /// The upload is larger than the server takes.
    static func tooLarge(_ limits: GatewayLimits) -> Refusal {
        Refusal(
            .contentTooLarge, "The upload is larger than \(limits.maxPackedMebibytes) MiB, which is all that is taken.",
            advice: "Compress it better, for instance with xz, or ask the operator for a higher limit.")
    }

    /// The spool has no room for the upload.
    static let diskFull = Refusal(
        .insufficientStorage, "The server has not enough free disk space for this upload.",
        advice: "Try again later, or tell the operator.")
}
