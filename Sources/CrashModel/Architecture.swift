/// The base architecture of a machine, under rpm's name for it.
package enum Architecture: String, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    case x86_64
    case i386
    case aarch64
    case armhfp
    case ppc64
    case ppc64le
    case s390x

    /// Reads any name in use for an architecture: rpm's (`i686`, `armv7hl`), Debian's (`amd64`, `arm64`), uname's.
    ///
    /// - Throws: ``InvalidValue`` for a name that none of them uses.
    package init(_ name: some StringProtocol) throws(InvalidValue) {
        switch String(name) {
        case "x86_64", "amd64": self = .x86_64
        case "i386", "i486", "i586", "i686": self = .i386
        case "aarch64", "arm64": self = .aarch64
        case "armhfp", "armhf", "armel", "armv5tel", "armv7l", "armv7hl", "armv7hnl": self = .armhfp
        case "ppc64", "ppc64iseries": self = .ppc64
        case "ppc64le", "ppc64el": self = .ppc64le
        case "s390x": self = .s390x
        default:
            let known = Self.allCases.map(\.rawValue).joined(separator: ", ")
            throw InvalidValue(noun: "architecture", text: name, expected: "known are \(known) and their aliases")
        }
    }

    package var description: String { rawValue }

    /// The directory below /usr/lib that Debian has its libraries in (Multiarch/Tuples of the Debian wiki).
    package var multiarchTuple: String {
        switch self {
        case .x86_64: "x86_64-linux-gnu"
        case .i386: "i386-linux-gnu"
        case .aarch64: "aarch64-linux-gnu"
        case .armhfp: "arm-linux-gnueabihf"
        case .ppc64: "powerpc64-linux-gnu"
        case .ppc64le: "powerpc64le-linux-gnu"
        case .s390x: "s390x-linux-gnu"
        }
    }

    /// The name that dpkg and Debian's archives use.
    package var debianName: String {
        switch self {
        case .x86_64: "amd64"
        case .i386: "i386"
        case .aarch64: "arm64"
        case .armhfp: "armhf"
        case .ppc64: "ppc64"
        case .ppc64le: "ppc64el"
        case .s390x: "s390x"
        }
    }
}
