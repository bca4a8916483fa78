package import SystemPackage

/// The directories that a merged system keeps below `/usr`, with a symbolic link at each of their old places.
///
/// Debian and Fedora have the first four on every machine; the others exist where 32-bit libraries are installed.
package let usrMergedDirectories = ["bin", "sbin", "lib", "lib64", "lib32", "libx32"]

/// The path under which a merged system has the file: `/lib/x86_64-linux-gnu/libc.so.6` is
/// `/usr/lib/x86_64-linux-gnu/libc.so.6`. Other paths come back as they are.
package func usrMerged(_ path: FilePath) -> FilePath {
    guard path.isAbsolute, let first = path.components.first, usrMergedDirectories.contains(first.string) else {
        return path
    }
    var merged: FilePath = "/usr"
    merged.components.append(contentsOf: path.components)
    return merged
}

/// A path inside a package, checked: relative to the root, without empty, `.` and `..` components.
struct PackagePath {
    /// The components as null-terminated bytes; empty for the root itself.
    var components: [[CChar]]

    /// Splits a path as archives write it: `./usr/bin/true`, `usr/bin/true`, `./usr/bin/`.
    ///
    /// - Throws: ``RefusedEntry/Reason`` when it is absolute, leaves the root, or is longer than the limits.
    init(_ path: [UInt8], limits: ExtractionLimits) throws(RefusedEntry.Reason) {
        guard !path.isEmpty else { throw .emptyPath }
        guard path.first != UInt8(ascii: "/") else { throw .absolutePath }
        guard path.count <= limits.maxPathBytes else { throw .pathTooLong }
        components = []
        for part in path.split(separator: UInt8(ascii: "/")) {
            if part.elementsEqual(".".utf8) { continue }
            if part.elementsEqual("..".utf8) { throw .leavesTheRoot }
            guard part.count <= 255 else { throw .pathTooLong }
            components.append(part.map { CChar(bitPattern: $0) } + [0])
        }
        guard components.count <= limits.maxDepth else { throw .pathTooLong }
    }

    /// The absolute path that the entry has on the system that the package is for.
    var filePath: FilePath {
        var bytes: [CChar] = []
        for component in components {
            bytes.append(CChar(bitPattern: UInt8(ascii: "/")))
            bytes += component.dropLast()
        }
        return components.isEmpty ? "/" : FilePath(platformString: bytes + [0])
    }

    /// The same path on a merged system.
    var usrMerged: PackagePath {
        guard let first = components.first, usrMergedDirectories.contains(where: { Self.isEqual(first, $0) }) else {
            return self
        }
        var merged = self
        merged.components.insert("usr".utf8CString.map { $0 }, at: 0)
        return merged
    }

    private static func isEqual(_ component: [CChar], _ name: String) -> Bool {
        component.dropLast().lazy.map { UInt8(bitPattern: $0) }.elementsEqual(name.utf8)
    }
}

/// An entry of a package that was not unpacked, and why.
package struct RefusedEntry: Hashable, Sendable {
    /// The path as the package has it; bytes that are not UTF-8 are replaced.
    package let path: String
    package let reason: Reason

    /// Why an entry was left out; the raw value is a sentence's end.
    package enum Reason: String, Error, Hashable, Sendable {
        case emptyPath = "has no name"
        case absolutePath = "has an absolute path"
        case leavesTheRoot = "leaves the root by '..'"
        case pathTooLong = "has a path that is too long or too deep"
        case isSpecial = "is a device, a FIFO or a socket"
        case throughLink = "lies behind a symbolic link or a file"
        case alreadyThere = "comes twice"
        case linkLeavesPackage = "is a hard link to something that is no file of the package"
        case linkWithoutTarget = "is a link without a target, or with one that is too long"
    }

    package init(path: String, reason: Reason) {
        self.path = path
        self.reason = reason
    }
}
