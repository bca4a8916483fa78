import HTTPTypes
import Hummingbird

/// What a request to `/create` says of its body, once it has passed every check that needs no disk.
struct UploadHeaders: Equatable {
    /// The media type, without parameters.
    let contentType: String
    /// In bytes.
    let contentLength: Int
    /// `X-CoreFileDirectory`: where on the server the dump is; nil for one in the body.
    let serverDump: String?
    /// Whether `X-Task-Type` says that it is a kernel's dump.
    let isKernel: Bool

    /// Checks in upstream's order, so that a request with two faults gets the same answer as there.
    ///
    /// - Throws: ``Refusal`` with 405, 415, 411, 400, 413 or 403.
    init(_ request: HTTPRequest, _ limits: GatewayLimits) throws(Refusal) {
        guard request.method == .post else {
            throw Refusal(.methodNotAllowed, .postOnly, advice: .seeFrontPage)
        }
        // What the type says beyond that is looked at later, as upstream does.
        isKernel = ["2", "4"].contains(request.headerFields[.taskType])
        contentType = try Self.contentType(request.headerFields[.contentType], isKernel: isKernel, limits)
        contentLength = try Self.contentLength(request.headerFields[.contentLength], isKernel: isKernel, limits)
        serverDump = request.headerFields[.coreFileDirectory]
        guard serverDump == nil || !limits.serverDumps.isEmpty else {
            throw Refusal(.forbidden, .noDirectoryOfServer, advice: .sendTheArchive)
        }
    }

    /// What will be written to the spool, in bytes.
    var bytesToStore: Int { serverDump == nil ? contentLength : 0 }

    private static func contentType(
        _ field: String?, isKernel: Bool, _ limits: GatewayLimits
    ) throws(Refusal) -> String {
        let name = field?.split(separator: ";", omittingEmptySubsequences: false).first.map(String.init) ?? ""
        let type = name.drop { $0 == " " }.prefix { $0 != " " }
        let formats = limits.formats + (isKernel ? [GatewayLimits.plainFormat] : [])
        guard formats.contains(String(type)) else {
            throw Refusal(
                .unsupportedMediaType, .unknownMediaType, advice: .takenMediaTypes,
                with: ["formats": formats.joined(separator: ", ")])
        }
        return String(type)
    }

    private static func contentLength(
        _ field: String?, isKernel: Bool, _ limits: GatewayLimits
    ) throws(Refusal) -> Int {
        guard let field else {
            throw Refusal(.lengthRequired, .lengthMissing, advice: .sendLength)
        }
        guard isDigits(field) else { throw Refusal(.badRequest, .lengthIsNoNumber) }
        let limit = limits.packedMebibytes(ofKernel: isKernel)
        guard let length = Int(field), length <= limit << 20 else {
            throw Refusal(.contentTooLarge, .uploadTooLarge, advice: .compressBetter, with: ["limit": limit])
        }
        return length
    }

    /// `X-Task-Type`; 0 where it is absent or a number that nobody knows. Upstream looks at it after the disk.
    ///
    /// - Throws: ``Refusal`` with 400 or 409.
    static func taskType(_ request: HTTPRequest, _ limits: GatewayLimits) throws(Refusal) -> Int {
        guard let field = request.headerFields[.taskType] else { return 0 }
        guard isDigits(field.first == "-" ? field.dropFirst() : field[...]) else {
            throw Refusal(.badRequest, .taskTypeIsNoNumber, advice: .taskTypes)
        }
        let type = Int(field).flatMap { (0...4).contains($0) ? $0 : nil } ?? 0
        guard type < 3 || limits.allowInteractive else {
            throw Refusal(.conflict, .noInteractiveTasks, advice: .taskTypes)
        }
        return type
    }
}

extension Refusal {
    /// The spool has no room for the upload.
    static let diskFull = Refusal(.insufficientStorage, .diskFull, advice: .tryLaterOrTell)
}
