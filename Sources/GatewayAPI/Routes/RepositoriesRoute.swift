import CrashModel
import HTTPTypes
import Hummingbird
import NIOCore
import SystemPackage
import TaskStorage

/// `/repos`: the mirrored packages to look at and to fetch, read-only, where the operator allows it.
///
/// Of each mirror only the packages and the metadata that clients of repositories read are shown; the index, locks and
/// reports are nobody's business.
struct RepositoriesRoute: Sendable {
    let dependencies: GatewayDependencies

    private static let shown: Set<String> = ["pool", "repodata"]
    private static let maximumDepth = 12

    func add(to router: GatewayRouter) {
        for path: RouterPath in ["repos", "repos/**"] {
            router.onGet(path) { request, context in try await answer(request, context) }
        }
    }

    private func answer(_ request: Request, _ context: GatewayContext) async throws -> Response {
        guard let repositories = dependencies.repositories else {
            throw Refusal(.forbidden, .repositoriesNotPublic, advice: .operatorAllowsRepositories)
        }
        let parts = context.parameters.getCatchAll().compactMap { $0.removingPercentEncoding() }
        guard parts.count == context.parameters.getCatchAll().count, Self.isPlain(parts) else { throw Refusal.notFound }
        let place = parts.reduce(repositories) { $0.appending($1) }
        let entry = try await dependencies.onDisk { try Entry(at: place, below: parts) }
        switch entry {
        case nil: throw Refusal.notFound
        // Only a folder has a final slash.
        case .file? where request.uri.path.hasSuffix("/"): throw Refusal.notFound
        case .file(let file)?:
            let result = ResultResponse(
                dependencies: dependencies, content: ResultContent(file), mediaType: "application/octet-stream",
                cacheControl: "max-age=300")
            return try result.answer(to: request)
        case .folder(let names)?: return listing(names, parts)
        }
    }

    /// Whether the names lead nowhere but down into what is shown.
    private static func isPlain(_ parts: [String]) -> Bool {
        guard parts.count <= maximumDepth else { return false }
        if let release = parts.first, (try? ReleaseID(release)) == nil { return false }
        if parts.count > 1, !shown.contains(parts[1]) { return false }
        return parts.allSatisfy { part in
            !part.isEmpty && !part.hasPrefix(".") && !part.hasSuffix(".partial")
                && part.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "/") }
        }
    }

    private enum Entry: Sendable {
        case file(ResultFile)
        case folder([String])

        /// nil for what is not there, and for what is neither a file nor a folder of the mirror's own.
        init?(at place: FilePath, below parts: [String]) throws {
            // No folder on the way down may be a link: it would lead out of the mirror.
            var folder = place
            for _ in parts.dropFirst() {
                folder.removeLastComponent()
                guard FileKind(of: folder) == .directory else { return nil }
            }
            switch FileKind(of: place) {
            case .regular:
                guard parts.count > 2, let file = try ResultFile(at: place) else { return nil }
                self = .file(file)
            case .directory:
                self = .folder(try TaskDirectory.names(in: place).filter { isPlain(parts + [$0]) }.sorted())
            default: return nil
            }
        }
    }

    private func listing(_ names: [String], _ parts: [String]) -> Response {
        let here = "/repos" + parts.map { "/" + percentEncoded($0) }.joined()
        var lines = [
            "<!DOCTYPE html>", "<html lang=\"en\">",
            "<head><meta charset=\"utf-8\"><title>Mirrored packages</title></head>", "<body>",
            "<h1>\(escaped((["repos"] + parts).joined(separator: "/")))</h1>", "<ul>",
        ]
        for name in names { lines.append("<li><a href=\"\(here)/\(percentEncoded(name))\">\(escaped(name))</a></li>") }
        lines += ["</ul>", "</body></html>"]
        var headers = HTTPFields()
        headers[.contentType] = "text/html; charset=utf-8"
        headers[.contentSecurityPolicy] = "default-src 'none'"
        let body = ByteBuffer(string: lines.joined(separator: "\n") + "\n")
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: body))
    }
}

/// Every byte that is not unreserved in a path (RFC 3986, 2.3) as `%NN`.
func percentEncoded(_ text: String) -> String {
    text.utf8.map { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            String(UnicodeScalar(byte))
        default:
            "-._~".utf8.contains(byte)
                ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }
    }.joined()
}

/// The text with HTML's five characters written as entities.
func escaped(_ text: String) -> String {
    var escaped = ""
    for character in text {
        switch character {
        case "&": escaped += "&amp;"
        case "<": escaped += "&lt;"
        case ">": escaped += "&gt;"
        case "\"": escaped += "&quot;"
        case "'": escaped += "&#39;"
        default: escaped.append(character)
        }
    }
    return escaped
}

extension Substring {
    /// The text with `%NN` turned into bytes; nil when that is not UTF-8 or a `%` stands alone.
    fileprivate func removingPercentEncoding() -> String? {
        var bytes: [UInt8] = []
        var rest = utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.utf8.count == 2, let value = UInt8(digits, radix: 16), digits.first != "+" else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
