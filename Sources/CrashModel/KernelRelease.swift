/// What `uname -r` says on the crashed machine: `6.1.0-56-cloud-amd64`, `5.14.0-427.el9.x86_64`.
///
/// It becomes part of paths, package names and addresses, so only the characters that kernels' makers use get through.
package struct KernelRelease: Hashable, Sendable, CustomStringConvertible {
    /// The whole text, at most 64 bytes as in utsname (`__NEW_UTS_LEN` of linux/utsname.h).
    package let description: String

    /// - Throws: ``InvalidValue`` unless `text` begins with a digit, has a dot, is at most 64 bytes long and holds nothing but
    ///   ASCII letters, digits and `._+~-`, and no two dots in a row.
    package init(_ text: some StringProtocol) throws(InvalidValue) {
        let bytes = Array(text.utf8)
        let isPlain = bytes.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"):
                true
            default: "._+~-".utf8.contains(byte)
            }
        }
        guard isPlain, (1...64).contains(bytes.count), bytes.contains(UInt8(ascii: ".")),
            bytes.first.map({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) == true,
            !zip(bytes, bytes.dropFirst()).contains(where: { $0 == UInt8(ascii: ".") && $1 == UInt8(ascii: ".") })
        else {
            throw InvalidValue(
                noun: "kernel release", text: text,
                expected: "it looks as what 'uname -r' prints, such as 6.1.0-18-amd64")
        }
        description = String(decoding: bytes, as: UTF8.self)
    }
}
