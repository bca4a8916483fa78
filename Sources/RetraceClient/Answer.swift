import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// A short answer of the server, read to its end.
struct Answer: Sendable {
    let status: Int
    let headers: HTTPHeaders
    let body: String

    /// The longest body that is read, in bytes.
    private static let maximumBytes = 1 << 20

    init(_ response: HTTPClientResponse) async throws {
        status = Int(response.status.code)
        headers = response.headers
        body = String(buffer: try await response.body.collect(upTo: Self.maximumBytes))
    }

    func header(_ name: String) -> String? { headers.first(name: name) }

    /// The answer as an error, with the server's own words where it has some.
    ///
    /// - Parameter attempt: What the server was doing: `taking the upload`.
    func failure(at address: ServerAddress, doing attempt: String) -> ClientError {
        let words = printable(body).split(whereSeparator: \.isNewline).map(String.init)
        let said = words.first.map { "\($0) (HTTP \(status))" }
        let rest = words.dropFirst().prefix(10).joined(separator: "\n")
        let advice = rest.isEmpty ? nil : rest
        switch status {
        case 300..<400:
            let place = header("Location").map { " to \(printable($0))" } ?? ""
            return ClientError(
                .unavailable, "\(address) sends us elsewhere\(place) (HTTP \(status)).",
                advice: "Give the right address with --server or RETRACE_SERVER_URI.")
        case 401,
            403 where attempt != "taking the upload":
            return ClientError(.denied, said ?? "The server refused access (HTTP \(status)).", advice: advice)
        case 500...:
            return ClientError(
                .unavailable, said ?? "The server failed at \(attempt) and did not say why (HTTP \(status)).",
                advice: advice ?? "Try again later, or tell its operator.")
        default:
            return ClientError(
                .refused, said ?? "The server refused \(attempt) and did not say why (HTTP \(status)).", advice: advice)
        }
    }
}

extension ClientError {
    /// What went wrong on the way to the server, as a sentence with its address.
    init(transport error: any Error, at address: ServerAddress) {
        if let error = error as? ClientError {
            self = error
            return
        }
        let check = "Check that a gateway listens there, or name another server with --server or RETRACE_SERVER_URI."
        switch error {
        case is CancellationError:
            self.init(.unavailable, "The request to \(address) was given up.")
        case let error as NIOConnectionError:
            let cause =
                error.connectionErrors.first.map { Self.cause($0.error) }
                ?? (error.dnsAError ?? error.dnsAAAAError).map { _ in "its name is not known" } ?? "no connection"
            self.init(.unavailable, "There is no answer at \(address): \(cause).", advice: check)
        case let error as HTTPClientError where error == .connectTimeout || error == .readTimeout:
            self.init(.unavailable, "There is no answer at \(address): it took too long.", advice: check)
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError:
            self.init(
                .unavailable, "No secure connection to \(address): \(printable("\(error)")).",
                advice: "For a certificate that nobody has signed, use --insecure; for a server without TLS, "
                    + "write http:// before its name.")
        default:
            self.init(.unavailable, "The connection to \(address) failed: \(Self.cause(error)).", advice: check)
        }
    }

    private static func cause(_ error: any Error) -> String {
        if let error = error as? IOError { return printable(String(cString: strerror(error.errnoCode))) }
        if let error = error as? HTTPClientError { return printable(error.shortDescription) }
        return printable("\(error)")
    }
}
