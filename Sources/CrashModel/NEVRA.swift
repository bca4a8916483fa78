/// Name, epoch, version, release and architecture: the identity of a package, of rpm and of dpkg alike.
///
/// dpkg's revision stands in ``release``; a native Debian package has none and its ``release`` is empty.
package struct NEVRA: Hashable, Sendable, CustomStringConvertible {
    package let name: String
    package let epoch: Int
    package let version: String
    package let release: String
    /// As the package has it: `x86_64`, `noarch`, `amd64`, `all`.
    package let architecture: String

    /// - Throws: ``InvalidValue`` when a part is missing, over 256 bytes, or holds anything but printable ASCII
    ///   without blanks, quotes and slashes; the epoch must not be negative.
    package init(
        name: some StringProtocol, epoch: Int = 0, version: some StringProtocol, release: some StringProtocol,
        architecture: some StringProtocol
    ) throws(InvalidValue) {
        let (name, version, release) = (String(name), String(version), String(release))
        let architecture = String(architecture)
        guard epoch >= 0, !name.isEmpty, !version.isEmpty, !architecture.isEmpty, Self.isPlain(name),
            Self.isPlain(version), Self.isPlain(release), Self.isPlain(architecture)
        else {
            throw InvalidValue(
                noun: "package", text: "\(name)-\(version)-\(release).\(architecture)",
                expected: "it is written like bash-5.2.15-5.fc40.x86_64")
        }
        self.name = name
        self.epoch = epoch
        self.version = version
        self.release = release
        self.architecture = architecture
    }

    /// Reads dpkg's `[epoch:]upstream[-revision]` into epoch, version and release (deb-version(7)).
    ///
    /// - Throws: ``InvalidValue`` as the other initialiser does, and for an epoch that is no number.
    package init(
        name: some StringProtocol, debianVersion: some StringProtocol, architecture: some StringProtocol
    ) throws(InvalidValue) {
        var rest = Substring(debianVersion)
        var epoch = 0
        if let colon = rest.firstIndex(of: ":") {
            guard let number = Int(rest[..<colon]) else {
                throw InvalidValue(noun: "Debian version", text: debianVersion, expected: "its epoch is a number")
            }
            epoch = number
            rest = rest[rest.index(after: colon)...]
        }
        let dash = rest.lastIndex(of: "-")
        try self.init(
            name: name, epoch: epoch, version: rest[..<(dash ?? rest.endIndex)],
            release: dash.map { rest[rest.index(after: $0)...] } ?? "", architecture: architecture)
    }

    /// `[epoch:]version[-release]`, as both dpkg and rpm write it; an epoch of 0 is left out.
    package var versionText: String {
        (epoch == 0 ? "" : "\(epoch):") + version + (release.isEmpty ? "" : "-" + release)
    }

    /// `name-[epoch:]version[-release].architecture`.
    package var description: String { "\(name)-\(versionText).\(architecture)" }

    private static func isPlain(_ part: String) -> Bool {
        part.utf8.count <= 256
            && part.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"), UInt8(ascii: "/"), UInt8(ascii: "\\"),
                    UInt8(ascii: "$"):
                    false
                default: (0x21...0x7e).contains(byte)
                }
            }
    }
}
