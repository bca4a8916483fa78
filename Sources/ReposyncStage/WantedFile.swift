/// A file that signed metadata describes.
struct WantedFile: Hashable, Sendable {
    /// Relative to the mirror's address.
    let path: String
    /// Lower-case hex.
    let sha256: String
    let byteCount: UInt64
    /// Another path at the same mirror that is tried first: the one named by the digest.
    let byHash: String?

    init(path: String, sha256: String, byteCount: UInt64, byHash: String? = nil) {
        self.path = path
        self.sha256 = sha256
        self.byteCount = byteCount
        self.byHash = byHash
    }

    /// For people: the last part of the path.
    var name: String { path.split(separator: "/").last.map(String.init) ?? path }
}
