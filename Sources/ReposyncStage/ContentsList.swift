import Archives
import Glibc
import Packages
import SystemPackage

/// The files of an archive's packages that matter for debugging, from its `Contents` lists: one line a file, the path without
/// the first slash, blanks, and the packages that have it as `section/name`, with commas between them.
struct ContentsList {
    /// Absolute paths by the name of the package.
    private(set) var paths: [String: [String]] = [:]
    /// A slash, which every line lacks, and the line.
    private var line = [UInt8](repeating: UInt8(ascii: "/"), count: 65536)
    private var count = 1

    /// Reads lists in any of the usual compressions. Blocking; a few seconds for all of Debian in a debug build.
    ///
    /// - Parameter limit: The most that one may have decompressed, in bytes.
    /// - Throws: ``Archives/ArchiveError``.
    init(_ files: [FilePath], limit: Int64) throws(ArchiveError) {
        for file in files {
            let content = try DecompressedFile(file, limit: limit)
            while try content.nextBlock({ take($0) }) != nil {}
            end()
        }
        line = []
    }

    private mutating func take(_ block: UnsafeRawBufferPointer) {
        guard let base = block.baseAddress else { return }
        var start = 0
        while start < block.count {
            let found = memchr(base + start, 0x0a, block.count - start).map { UnsafeRawPointer($0) - base }
            let length = (found ?? block.count) - start
            // No file has a longer name, so what does not fit is cut off.
            let taken = min(length, line.count - count)
            line.withUnsafeMutableBytes { bytes in
                UnsafeMutableRawBufferPointer(rebasing: bytes[count...]).copyMemory(
                    from: UnsafeRawBufferPointer(start: base + start, count: taken))
            }
            count += taken
            guard let found else { return }
            end()
            start = found + 1
        }
    }

    /// The line is complete.
    private mutating func end() {
        let count = count
        self.count = 1
        let entry = line.withUnsafeBufferPointer { bytes -> (String, String)? in
            guard let base = bytes.baseAddress else { return nil }
            // The blank before the packages, then the end of the path before all blanks.
            var blank = count - 1
            while blank > 0, base[blank] != 0x20, base[blank] != 0x09 { blank -= 1 }
            var end = blank
            while end > 0, base[end - 1] == 0x20 || base[end - 1] == 0x09 { end -= 1 }
            guard end > 1, mattersForDebugging(UnsafeBufferPointer(start: base, count: end)) else { return nil }
            return (
                String(decoding: UnsafeBufferPointer(start: base, count: end), as: UTF8.self),
                String(decoding: UnsafeBufferPointer(start: base + blank + 1, count: count - blank - 1), as: UTF8.self)
            )
        }
        guard let (path, packages) = entry else { return }
        for place in packages.split(separator: ",").prefix(64) {
            paths[String(place.split(separator: "/").last ?? place), default: []].append(path)
        }
    }
}
