/// The bytes of packages that tests make; contents are handed in, compressed or not.
package enum PackageBytes {
    /// A Debian package (deb(5)) of the given members, or any other ar archive.
    package static func debian(_ members: [(name: String, content: [UInt8])]) -> [UInt8] {
        var bytes = Array("!<arch>\n".utf8)
        for member in members {
            bytes += arHeader(member.name, size: member.content.count)
            bytes += member.content
            if !member.content.count.isMultiple(of: 2) { bytes.append(0x0a) }
        }
        return bytes
    }

    /// A whole Debian package out of a control stanza and the tar archive of its files, not compressed.
    package static func debian(control: String, data: TarBuilder) -> [UInt8] {
        var controlArchive = TarBuilder()
        controlArchive.add("./", type: "5", mode: 0o755)
        controlArchive.add("./control", content: Array(control.utf8))
        return debian([
            ("debian-binary", Array("2.0\n".utf8)), ("control.tar", controlArchive.archive), ("data.tar", data.archive),
        ])
    }

    /// The header of one member of an ar archive, with any size.
    package static func arHeader(_ name: String, size: Int) -> [UInt8] {
        let fields = [(name, 16), ("0", 12), ("0", 6), ("0", 6), ("100644", 8), ("\(size)", 10)]
        let text = fields.map { $0.0 + String(repeating: " ", count: max(0, $0.1 - $0.0.utf8.count)) }.joined()
        return Array(text.utf8) + [0x60, 0x0a]
    }

    /// An RPM package with empty headers round a payload: what a reader needs that looks for nothing but the files.
    package static func rpm(payload: [UInt8]) -> [UInt8] {
        var lead: [UInt8] = [0xed, 0xab, 0xee, 0xdb, 3, 0, 0, 0, 0, 1]
        lead += [UInt8](repeating: 0, count: 96 - lead.count)
        let emptyHeader: [UInt8] = [0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        return lead + emptyHeader + emptyHeader + payload
    }

    /// One file of a cpio archive.
    package struct CpioFile {
        package var name: String
        package var mode: Int
        package var content: [UInt8]
        package var inode: Int
        package var links: Int

        package init(_ name: String, mode: Int = 0o100644, content: [UInt8] = [], inode: Int = 1, links: Int = 1) {
            self.name = name
            self.mode = mode
            self.content = content
            self.inode = inode
            self.links = links
        }
    }

    /// An archive in cpio's `newc` format, which RPM payloads have.
    package static func cpio(_ files: [CpioFile]) -> [UInt8] {
        let end = CpioFile("TRAILER!!!", mode: 0, inode: 0)
        return (files + [end]).reduce(into: []) { bytes, file in
            let name = Array(file.name.utf8) + [0]
            let fields = [file.inode, file.mode, 0, 0, file.links, 0, file.content.count, 0, 0, 0, 0, name.count, 0]
            bytes += Array("070701".utf8) + fields.flatMap(hexadecimal) + name
            pad(&bytes)
            bytes += file.content
            pad(&bytes)
        }
    }

    private static func hexadecimal(_ value: Int) -> [UInt8] {
        let digits = String(value, radix: 16)
        return Array((String(repeating: "0", count: 8 - digits.count) + digits).utf8)
    }

    private static func pad(_ bytes: inout [UInt8]) {
        bytes += [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
    }
}
