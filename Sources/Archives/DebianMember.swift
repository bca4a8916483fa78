import Glibc
import SystemPackage

/// A member of the ar archive that a Debian package is (deb(5), ar(5)).
struct DebianMember {
    /// `debian-binary`, `control.tar.xz`, `data.tar.zst` …
    let name: String
    /// Where its content lies in the file.
    let range: Range<Int64>

    /// Deb(5) knows three members, and tools add signatures; more is not a package.
    private static let maxMembers = 16
    private static let headerBytes: Int64 = 60

    /// Lists the members of a Debian package, given that its first eight bytes are ar's.
    ///
    /// - Throws: ``ArchiveError`` with `truncated` when a member ends behind the end of the file, else `damaged`.
    static func all(in descriptor: FileDescriptor, byteCount: Int64) throws(ArchiveError) -> [DebianMember] {
        var members: [DebianMember] = []
        var offset: Int64 = 8
        while offset < byteCount {
            guard members.count < maxMembers else {
                throw ArchiveError(.damaged, "the package has more members than a Debian package can have")
            }
            let header = try readBytes(descriptor, at: offset, count: Int(headerBytes))
            guard header.count == Int(headerBytes) else {
                throw ArchiveError(.truncated, "the package ends inside a member's header")
            }
            guard header.suffix(2).elementsEqual([0x60, 0x0a]), let size = decimal(header[48..<58]) else {
                throw ArchiveError(.damaged, "a member of the package has no proper header")
            }
            let start = offset + headerBytes
            guard size <= byteCount - start else {
                throw ArchiveError(.truncated, "the package ends inside its member \(text(header[0..<16]))")
            }
            members.append(DebianMember(name: text(header[0..<16]), range: start..<(start + size)))
            offset = start + size + size % 2
        }
        return members
    }

    /// The first member whose name starts so: dpkg, too, takes the first.
    static func first(
        _ prefix: String, in descriptor: FileDescriptor, byteCount: Int64
    ) throws(ArchiveError) -> DebianMember {
        let members = try all(in: descriptor, byteCount: byteCount)
        guard let member = members.first(where: { $0.name.hasPrefix(prefix) }) else {
            throw ArchiveError(.damaged, "the package has no member \(prefix)")
        }
        return member
    }

    /// System V's ar ends names by a slash, dpkg's pads them with blanks.
    private static func text(_ field: ArraySlice<UInt8>) -> String {
        String(decoding: field.prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "/") && $0 != 0 }, as: UTF8.self)
    }

    private static func decimal(_ field: ArraySlice<UInt8>) -> Int64? {
        Int64(String(decoding: field.prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self)).flatMap { $0 < 0 ? nil : $0 }
    }
}
