import Glibc
import SystemPackage

/// What the file `bytes` of a store's entry says: how large the tree is and under which boot it was last known to be whole.
///
/// Trees are not flushed to the disk before they are used, since that would wait for everybody's data. Instead an entry
/// that an earlier boot of the machine has made is measured once before it is trusted: files that a power failure has
/// cut are shorter than they should be.
struct EntryStamp: Equatable {
    /// The content of all files, in bytes; hard links count once.
    var contentBytes: UInt64
    /// About what the tree takes on disk, in bytes.
    var diskBytes: UInt64
    /// The boot_id of random(4); empty where there is none.
    var bootID: String

    init(contentBytes: UInt64, diskBytes: UInt64, bootID: String = EntryStamp.currentBootID) {
        self.contentBytes = contentBytes
        self.diskBytes = diskBytes
        self.bootID = bootID
    }

    /// Reads `<content bytes> <disk bytes> <boot id>`; nil for anything else.
    init?(_ bytes: [UInt8]) {
        let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard (2...3).contains(words.count), let content = UInt64(words[0]), let disk = UInt64(words[1]) else {
            return nil
        }
        self.init(contentBytes: content, diskBytes: disk, bootID: words.count == 3 ? String(words[2]) : "")
    }

    var bytes: [UInt8] { Array("\(contentBytes) \(diskBytes) \(bootID)\n".utf8) }

    static let currentBootID: String = {
        let bytes = (try? readSmallFile("/proc/sys/kernel/random/boot_id", limit: 64)) ?? []
        return String(String(decoding: bytes, as: UTF8.self).prefix { !$0.isWhitespace })
    }()
}

/// The content of all files below a directory, in bytes, hard links once; follows no symbolic link. Blocking.
func contentBytes(below path: FilePath) throws(Errno) -> UInt64 {
    var total: UInt64 = 0
    var seen: Set<UInt64> = []
    var rest = [path]
    while let directory = rest.popLast() {
        for name in try namesInDirectory(directory) {
            let path = directory.appending(name)
            var status = stat()
            guard lstat(path.string, &status) == 0 else { throw Errno(rawValue: errno) }
            if status.st_mode & S_IFMT == S_IFDIR {
                rest.append(path)
            } else if status.st_mode & S_IFMT == S_IFREG, seen.insert(UInt64(status.st_ino)).inserted {
                total += UInt64(clamping: status.st_size)
            }
        }
    }
    return total
}
