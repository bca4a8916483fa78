package import CrashModel
package import SystemPackage

/// A Debian package made in memory: a control stanza and files in the order in which they are given.
///
/// deb(5): an ar archive of `debian-binary`, `control.tar` and `data.tar`; neither is compressed here.
package struct MadeDebianPackage {
    private let control: String
    private var data: [UInt8] = []

    /// - Parameters:
    ///   - version: As dpkg has it: `1.0-1`.
    ///   - fields: Further lines of the stanza, such as `Source: made`.
    package init(_ name: String, version: String, architecture: String = "amd64", fields: [String] = []) {
        let lines = ["Package: \(name)", "Version: \(version)", "Architecture: \(architecture)"] + fields
        control = lines.joined(separator: "\n") + "\n"
    }

    /// Adds a file under an absolute path.
    package mutating func add(_ path: String, _ content: [UInt8], executable: Bool = false) {
        data += Self.entry(path, type: "0", content: content, mode: executable ? 0o755 : 0o644)
    }

    /// Adds a symbolic link.
    package mutating func link(_ path: String, to target: String) {
        data += Self.entry(path, type: "2", target: target)
    }

    /// Adds a hard link to a file that was added before.
    package mutating func hardLink(_ path: String, to target: String) {
        data += Self.entry(path, type: "1", target: "." + target)
    }

    /// Adds an ELF library or program with a build-id.
    package mutating func addELF(_ path: String, _ buildID: BuildID?) {
        var elf = ELFBuilder(type: 3)
        if let buildID { elf.notes = [ELFBuilder.Note("GNU", 3, buildID.bytes)] }
        elf.segments = [ELFBuilder.Segment(at: 0, flags: 5, content: [UInt8](repeating: 0x90, count: 64))]
        add(path, elf.build(), executable: true)
    }

    /// The package file.
    package var bytes: [UInt8] {
        let end = [UInt8](repeating: 0, count: 1024)
        let controlTar = Self.entry("/control", type: "0", content: Array(control.utf8)) + end
        return Array("!<arch>\n".utf8) + Self.member("debian-binary", Array("2.0\n".utf8))
            + Self.member("control.tar", controlTar) + Self.member("data.tar", data + end)
    }

    /// Writes the package file into a folder under a name that its identity does not need to have.
    package func write(to folder: FilePath, as name: String) throws -> FilePath {
        let path = folder.appending(name)
        let file = try FileDescriptor.open(
            path, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
        try file.closeAfter { _ = try file.writeAll(bytes) }
        return path
    }

    private static func member(_ name: String, _ content: [UInt8]) -> [UInt8] {
        let header =
            field(name, 16) + field("0", 12) + field("0", 6) + field("0", 6) + field("100644", 8)
            + field(String(content.count), 10) + [0x60, 0x0a]
        return header + content + (content.count.isMultiple(of: 2) ? [] : [0x0a])
    }

    private static func field(_ text: String, _ size: Int) -> [UInt8] {
        let bytes = Array(text.utf8.prefix(size))
        return bytes + [UInt8](repeating: 0x20, count: size - bytes.count)
    }

    private static func entry(
        _ path: String, type: Character, content: [UInt8] = [], target: String = "", mode: Int = 0o777
    ) -> [UInt8] {
        var header: [UInt8] = zeroed("." + path, 100)
        header += zeroed(octal(mode, 7), 8) + zeroed(octal(0, 7), 8) + zeroed(octal(0, 7), 8)
        header += zeroed(octal(content.count, 11), 12) + zeroed(octal(0, 11), 12)
        header += [UInt8](repeating: 0x20, count: 8) + Array(String(type).utf8) + zeroed(target, 100)
        header += zeroed("ustar", 6) + Array("00".utf8)
        header += [UInt8](repeating: 0, count: 512 - header.count)
        let sum = header.reduce(0) { $0 + Int($1) }
        header.replaceSubrange(148..<156, with: Array(octal(sum, 6).utf8) + [0, 0x20])
        return header + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    private static func octal(_ number: Int, _ digits: Int) -> String {
        let text = String(number, radix: 8)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    private static func zeroed(_ text: String, _ size: Int) -> [UInt8] {
        let bytes = Array(text.utf8.prefix(size))
        return bytes + [UInt8](repeating: 0, count: size - bytes.count)
    }
}
