/// A release of a distribution, such as `debian-12`; the text form is `<distribution>-<version>`.
package struct Release: Hashable, Sendable, CustomStringConvertible {
    /// The plugin's name of the distribution, lower case: `debian`, `fedora`.
    package let distribution: String
    /// What stands after the distribution: `12`, `41`, `rawhide`, `8.4`.
    package let version: String

    /// - Throws: ``InvalidValue`` unless both are made of letters, digits, `.`, `_` and, in the version, `-` and `+`.
    package init(distribution: some StringProtocol, version: some StringProtocol) throws(InvalidValue) {
        guard Self.isWord(distribution, extra: "._"), Self.isWord(version, extra: "._+") else {
            throw InvalidValue(
                noun: "release", text: "\(distribution)-\(version)",
                expected: "it is written like debian-12 or fedora-41")
        }
        self.distribution = String(distribution)
        self.version = String(version)
    }

    /// - Throws: ``InvalidValue`` unless `text` is `<distribution>-<version>`.
    package init(_ text: some StringProtocol) throws(InvalidValue) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            throw InvalidValue(noun: "release", text: text, expected: "it is written like debian-12 or fedora-41")
        }
        try self.init(distribution: parts[0], version: parts[1])
    }

    package var description: String { "\(distribution)-\(version)" }

    private static func isWord(_ text: some StringProtocol, extra: String) -> Bool {
        guard let first = text.utf8.first, (1...64).contains(text.utf8.count) else { return false }
        let isAlphanumeric = { (byte: UInt8) in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: false
            }
        }
        return isAlphanumeric(first) && text.utf8.allSatisfy { isAlphanumeric($0) || extra.utf8.contains($0) }
    }
}
