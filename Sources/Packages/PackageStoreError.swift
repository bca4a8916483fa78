package import CrashModel
import SystemPackage

/// Why the package store has no tree of a package, or not the symbols of a kernel.
package enum PackageStoreError: Error, Equatable, CustomStringConvertible {
    /// The name asked for is no SHA-256.
    case invalidChecksum(String)
    /// The package file is not the one that the index speaks of.
    case altered(expected: String, found: String)
    /// The package file is gone or cannot be read; the text is the system's.
    case unreadable(String)
    /// The package file is damaged or holds what no package may.
    case unpackable(String)
    /// The package has no regular file where vmlinux was looked for.
    case withoutKernel(path: String)
    /// The vmlinux of the package is not the one with that build-id: it has another, or none where `found` is nil.
    case otherKernel(expected: BuildID, found: BuildID?)
    /// The file that was taken for vmlinux is none: a sentence's end.
    case unusableKernel(String)
    /// The store's disk is full; trying later may help.
    case diskFull
    /// The store cannot write to its directory; the text is the system's.
    case inputOutput(String)

    package var description: String {
        switch self {
        case .invalidChecksum(let text): "'\(text.prefix(80))' is not a SHA-256 in lower-case hex"
        case .altered(let expected, let found):
            "the mirrored package file has SHA-256 \(found) but the index says \(expected); synchronise again"
        case .unreadable(let detail): "the mirrored package file cannot be read: \(detail)"
        case .unpackable(let detail): "the package cannot be unpacked: \(detail)"
        case .withoutKernel(let path): "the package has no vmlinux at \(path)"
        case .otherKernel(let expected, let found):
            "its vmlinux has " + (found.map { "build-id \($0)" } ?? "no build-id")
                + ", and the kernel that ran had \(expected)"
        case .unusableKernel(let detail): "its vmlinux \(detail)"
        case .diskFull: "the disk of the package store is full"
        case .inputOutput(let detail): "the package store cannot be written: \(detail)"
        }
    }
}
