package import SystemPackage

/// Why a set of packages has no closure.
package enum DependencyError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file of metadata can not be opened or read; `reason` is the system's word for it.
    case unreadable(FilePath, reason: String)
    /// The file can be read, but it is not a list of packages.
    case notPackageMetadata(FilePath, reason: String)
    /// No package has this name, and none provides it.
    case unknownPackage(String)
    /// The package is there, but not in this version.
    case unknownVersion(package: String, version: String)
    /// The packages can not be installed together; libsolv's sentences, at least one.
    case unsolvable(problems: [String])
    /// The metadata names a package in a way that no package manager would; the text is what it says.
    case malformedPackage(String)

    package var description: String {
        switch self {
        case .unreadable(let file, let reason):
            "the metadata file \(Self.name(file)) can not be read: \(reason)"
        case .notPackageMetadata(let file, let reason):
            "\(Self.name(file)) is not a list of packages: \(reason)"
        case .unknownPackage(let name):
            "no package is named '\(name)', and none provides it"
        case .unknownVersion(let package, let version):
            "the package '\(package)' is not there in version \(version)"
        case .unsolvable(let problems):
            problems.joined(separator: "; ")
        case .malformedPackage(let text):
            "the metadata holds a package that can not be used: \(text)"
        }
    }

    /// Only the last component: the sentence may be shown to the public.
    private static func name(_ file: FilePath) -> String {
        file.lastComponent?.string ?? file.string
    }
}
