import HTTPTypes
import Hummingbird
import NIOCore

/// The answer that gives a result: whole, a range of it, compressed, or only that it has not changed (RFC 9110, 13 and 14).
///
/// A client that sends none of `If-None-Match`, `Range` and `Accept-Encoding` gets all bytes as they are.
struct ResultResponse: Sendable {
    let dependencies: GatewayDependencies
    let content: ResultContent
    let mediaType: String
    var cacheControl = "no-store"

    private static let pieceSize = 256 << 10
    /// Below this, compressing saves nothing worth a packet.
    private static let worthCompressing = 1024

    /// - Throws: ``Refusal`` with 416 for a range outside of the result.
    func answer(to request: Request) throws(Refusal) -> Response {
        let isRead = request.method == .get || request.method == .head
        let range = isRead ? requestedRange(request) : nil
        let encodings = AcceptedNames(request.headers[.acceptEncoding])
        let gzipWeight = encodings.weight(of: "gzip") ?? 0
        let isCompressed = range == nil && content.byteCount >= Self.worthCompressing && gzipWeight > 0
        // A strong tag names bytes as they travel, so the compressed ones have a tag of their own.
        let tag = "\"\(content.version)\(isCompressed ? "-gzip" : "")\""
        var headers = HTTPFields()
        headers[.eTag] = tag
        headers[.vary] = "Accept-Encoding"
        headers[.cacheControl] = cacheControl
        if isRead, let known = request.headers[.ifNoneMatch], Self.names(known, tag) {
            return Response(status: .notModified, headers: headers)
        }
        headers[.contentType] = mediaType
        if isCompressed {
            headers[.contentEncoding] = "gzip"
            return Response(status: .ok, headers: headers, body: compressed)
        }
        headers[.acceptRanges] = "bytes"
        switch range {
        case nil: return Response(status: .ok, headers: headers, body: body(0..<content.byteCount))
        case .bytes(let bytes):
            headers[.contentRange] = "bytes \(bytes.lowerBound)-\(bytes.upperBound - 1)/\(content.byteCount)"
            return Response(status: .partialContent, headers: headers, body: body(bytes))
        case .unsatisfiable:
            headers[.contentRange] = "bytes */\(content.byteCount)"
            var refusal = Refusal(
                .rangeNotSatisfiable, .noByteInRange, advice: .askWithoutRange, with: ["bytes": content.byteCount])
            refusal.headers = headers
            throw refusal
        }
    }

    enum RequestedRange: Equatable {
        case bytes(Range<Int>)
        case unsatisfiable
    }

    private func requestedRange(_ request: Request) -> RequestedRange? {
        guard request.method == .get, let field = request.headers[.range] else { return nil }
        if let condition = request.headers[.ifRange], condition != "\"\(content.version)\"" { return nil }
        return Self.range(field, of: content.byteCount)
    }

    /// One range of bytes; nil for anything else, which is then ignored as the standard allows.
    static func range(_ field: String, of count: Int) -> RequestedRange? {
        guard field.hasPrefix("bytes=") else { return nil }
        let ends = field.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, ends.allSatisfy({ $0.isEmpty || isDigits($0) }) else { return nil }
        // A number too large for us lies beyond the end of any result.
        let first: Int? = ends[0].isEmpty ? nil : Int(ends[0]) ?? .max
        let last: Int? = ends[1].isEmpty ? nil : Int(ends[1]) ?? .max
        if let first {
            if let last, last < first { return nil }
            guard first < count else { return .unsatisfiable }
            return .bytes(first..<(min(last ?? .max, count - 1) + 1))
        }
        guard let length = last else { return nil }
        guard length > 0, count > 0 else { return .unsatisfiable }
        return .bytes(max(0, count - length)..<count)
    }

    /// Whether a list of tags names this one; the weak sign `W/` does not matter here.
    static func names(_ list: String, _ tag: String) -> Bool {
        for item in list.split(separator: ",") {
            let name = String(item.filter { $0 != " " })
            if ["*", tag, "W/" + tag].contains(name) { return true }
        }
        return false
    }

    private func body(_ bytes: Range<Int>) -> ResponseBody {
        ResponseBody(contentLength: bytes.count) { writer in
            var offset = bytes.lowerBound
            while offset < bytes.upperBound {
                let from = offset
                let piece = try await dependencies.onDisk {
                    try content.read(at: from, count: min(Self.pieceSize, bytes.upperBound - from))
                }
                try await writer.write(piece)
                offset += piece.readableBytes
            }
            try await writer.finish(nil)
        }
    }

    private var compressed: ResponseBody {
        ResponseBody { writer in
            let gzip = try Gzip()
            var offset = 0
            while offset < content.byteCount {
                let from = offset
                let count = min(Self.pieceSize, content.byteCount - from)
                let piece = try await dependencies.onDisk {
                    let bytes = Array(try content.read(at: from, count: count).readableBytesView)
                    return try gzip.compress(bytes, isLast: from + count == content.byteCount)
                }
                if !piece.isEmpty { try await writer.write(ByteBuffer(bytes: piece)) }
                offset += count
            }
            try await writer.finish(nil)
        }
    }
}
