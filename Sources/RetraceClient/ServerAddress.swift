/// Where a retrace server is: scheme, host, perhaps a port, perhaps a base path.
package struct ServerAddress: Hashable, Sendable, CustomStringConvertible {
    /// Without a slash at the end: `https://retrace.example.org/base`.
    package let description: String

    /// Reads an address as ABRT's client does: `https://` goes before one without a scheme, and a base path is kept.
    ///
    /// - Throws: ``ClientError`` with `usage`.
    package init(_ text: String) throws(ClientError) {
        var url = text
        if !url.contains("://") { url = "https://" + url }
        while url.hasSuffix("/") { url.removeLast() }
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[1].isEmpty, ["http:", "https:"].contains(parts[0].lowercased()) else {
            throw Self.refusal(text, "It has to begin with http:// or https://.")
        }
        guard !parts[2].isEmpty, !parts[2].hasPrefix(":") else { throw Self.refusal(text, "It names no host.") }
        guard !parts[2].contains("@") else {
            throw Self.refusal(text, "It must not hold a user or a password; tasks have passwords of their own.")
        }
        guard url.utf8.allSatisfy({ (0x21...0x7e).contains($0) && !"?#\"<>\\^`{|}".utf8.contains($0) }) else {
            throw Self.refusal(text, "It has characters that no such address has, or a query.")
        }
        description = parts[0].lowercased() + url.dropFirst(parts[0].utf8.count)
    }

    /// The URL of a path below the base: `url("settings")`.
    package func url(_ path: String) -> String { description + "/" + path }

    package var usesTLS: Bool { description.hasPrefix("https:") }

    /// The address as the name of a directory.
    package var fileName: String {
        let kept = description.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: ":"):
                String(UnicodeScalar(byte))
            default: "_" + String(byte, radix: 16)
            }
        }
        return kept.joined()
    }

    private static func refusal(_ text: String, _ problem: String) -> ClientError {
        ClientError(
            .usage, "'\(printable(text))' is not the address of a server. \(problem)",
            advice: "Write it like https://retrace.example.org or http://127.0.0.1:8181.")
    }
}
