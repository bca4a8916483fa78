/// A release id as ABRT's client builds it, `<product>-<version>-<architecture>`.
///
/// The product is what os-release(5) calls it wherever the client has no short name of its own, so it may have spaces:
/// `CentOS Stream-9-x86_64`, and `Red Hat Enterprise Linux 8-8.4-x86_64`.
struct ClientReleaseID {
    let product: String
    let version: String
    let architecture: String

    /// nil for a text without three parts, or of more than 256 bytes.
    init?(_ text: String) {
        guard text.utf8.count <= 256, let last = text.lastIndex(of: "-"),
            let middle = text[..<last].lastIndex(of: "-")
        else { return nil }
        product = String(text[..<middle])
        version = String(text[text.index(after: middle)..<last])
        architecture = String(text[text.index(after: last)...])
        guard !product.isEmpty, !version.isEmpty, !architecture.isEmpty else { return nil }
    }
}
