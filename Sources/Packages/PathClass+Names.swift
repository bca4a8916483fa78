import CrashModel
import Glibc

extension PathClass {
    /// What the name alone says of a file that nobody has read; nil where it says nothing of use.
    ///
    /// Programs and libraries are taken by their places and names; their build-ids are those of the links.
    func named() -> IndexedPath? {
        switch nameOnly {
        case .debug(let buildID): IndexedPath(path: path, kind: .debug, buildID: buildID)
        case .link(let buildID): IndexedPath(path: path, kind: .buildIDLink, buildID: buildID)
        case .dwz: IndexedPath(path: path, kind: .dwz)
        case .debugByPath: IndexedPath(path: path, kind: .debugByPath)
        case .autoLoad: IndexedPath(path: path, kind: .autoLoad)
        case .program: IndexedPath(path: path, kind: .binary)
        case .nothing: nil
        }
    }
}

/// Whether a file of that name, as UTF-8, can matter for debugging: what an index is made of where there are only names.
///
/// Build-id links, everything below `/usr/lib/debug`, scripts that gdb loads, and what lies where programs and libraries lie.
package func mattersForDebugging(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let start = name.baseAddress, name.count > 5 else { return false }
    func begins(_ prefix: StaticString) -> Bool {
        name.count >= prefix.utf8CodeUnitCount && memcmp(start, prefix.utf8Start, prefix.utf8CodeUnitCount) == 0
    }
    if begins("/usr/lib/.build-id/") || begins("/usr/lib/debug/") || begins("/usr/share/gdb/auto-load/") { return true }
    if begins("/usr/bin/") || begins("/usr/sbin/") || begins("/usr/libexec/") || begins("/bin/") || begins("/sbin/") {
        return true
    }
    // libfoo.so, libfoo.so.1, libfoo.so.1.2.3
    var at = name.count - 3
    while at > 0, name[at] != UInt8(ascii: "/") {
        if name[at] == UInt8(ascii: "."), name[at + 1] == UInt8(ascii: "s"), name[at + 2] == UInt8(ascii: "o") {
            return at + 3 == name.count || name[at + 3] == UInt8(ascii: ".")
        }
        at -= 1
    }
    return false
}
