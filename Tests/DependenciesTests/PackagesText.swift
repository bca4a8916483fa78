import CrashModel
import Dependencies
import SystemPackage
import TestFixtures

/// One stanza of a `Packages` file; the checksum is made from the name and version.
func stanza(
    _ name: String, _ version: String, _ fields: [String] = [], architecture: String = "amd64"
) -> String {
    """
    Package: \(name)
    Version: \(version)
    Architecture: \(architecture)
    \((fields + ["Filename: pool/\(name)_\(version)_\(architecture).deb"]).joined(separator: "\n"))
    SHA256: \(checksum(name, version))

    """
}

/// 64 hexadecimal digits that differ from package to package.
func checksum(_ name: String, _ version: String) -> String {
    let digits = (name + version).utf8.map { String($0, radix: 16) }.joined()
    return String((digits + String(repeating: "0", count: 64)).prefix(64))
}

/// Runs `body` on a solver that has read each text as a file of its own, and removes the files.
func withPackages(_ texts: [String], _ body: (DependencySolver) throws -> Void) throws {
    try withScratchFiles(texts.map { Array($0.utf8) }) { files in
        try body(try DependencySolver(debianPackages: files, architecture: .x86_64))
    }
}

/// Writes each element into a file in a directory of its own, which is gone when `body` returns.
func withScratchFiles(
    _ contents: [[UInt8]], suffix: String = "", _ body: ([FilePath]) throws -> Void
) throws {
    try ScratchDirectory.with { directory in
        let files = contents.indices.map { directory.appending("Packages\($0)\(suffix)") }
        for (file, bytes) in zip(files, contents) {
            let descriptor = try FileDescriptor.open(
                file, .writeOnly, options: [.create, .exclusiveCreate], permissions: .ownerReadWrite)
            _ = try descriptor.closeAfter { try descriptor.writeAll(bytes) }
        }
        try body(files)
    }
}
