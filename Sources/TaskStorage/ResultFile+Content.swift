import Crypto
import Glibc
import SystemPackage

/// `SEEK_DATA` and `SEEK_HOLE` of lseek(2), which Glibc's module hides.
private let seekData: CInt = 3
private let seekHole: CInt = 4

private let pageBytes = 4096
private let pieceBytes = 1 << 20

extension ResultFile {
    /// Whether both are one file, under one name or several. Blocking.
    func isSameFile(as other: ResultFile) -> Bool {
        func identity(_ file: ResultFile) -> [UInt64] {
            file.withDescriptor { descriptor in
                var facts = stat()
                guard fstat(descriptor.rawValue, &facts) == 0 else { return [] }
                return [UInt64(facts.st_dev), UInt64(facts.st_ino)]
            }
        }
        let own = identity(self)
        return !own.isEmpty && own == identity(other)
    }

    /// The SHA-256, in lower-case hexadecimal, of the file's size and of its pages of 4 KiB that are not all zeros, each
    /// behind its place. Files with the same bytes have the same, whatever of them is a hole; a hole is not read, so that a
    /// sparse file takes the time of what is in it. Memory does not grow with the file. Blocking.
    ///
    /// - Throws: `Errno` when the file cannot be read or has become shorter.
    func contentDigest() throws(Errno) -> String {
        var hash = SHA256()
        Self.add(byteCount, to: &hash)
        var offset = 0
        while let start = try startOfData(from: offset) {
            // Whole pages of the file, wherever the file system has its blocks.
            let end = try max(endOfData(from: start), start + 1)
            let stop = min(byteCount, (end + pageBytes - 1) / pageBytes * pageBytes)
            offset = start / pageBytes * pageBytes
            while offset < stop {
                let bytes = try read(at: offset, count: min(pieceBytes, stop - offset))
                guard bytes.count == min(pieceBytes, stop - offset) else { throw Errno.ioError }
                Self.add(bytes, at: offset, to: &hash)
                offset += bytes.count
            }
        }
        guard try hasItsSize() else { throw Errno.ioError }
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: hash.finalize().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// Whether two files have the same bytes; what is a hole in both is not read. Blocking.
    ///
    /// - Throws: `Errno` when one cannot be read.
    func hasSameBytes(as other: ResultFile) throws(Errno) -> Bool {
        guard byteCount == other.byteCount else { return false }
        var offset = 0
        while offset < byteCount {
            let starts = [try startOfData(from: offset), try other.startOfData(from: offset)]
            guard let start = starts.compactMap(\.self).min() else { break }
            let end = try max(endOfData(from: start), other.endOfData(from: start), start + 1)
            let mine = try read(at: start, count: min(pieceBytes, end - start))
            let others = try other.read(at: start, count: mine.count)
            guard !mine.isEmpty, mine == others else { return false }
            offset = start + mine.count
        }
        // A file that is cut short while it is read is not the same.
        guard try hasItsSize() else { return false }
        return try other.hasItsSize()
    }

    /// Where the data begin that stand at an offset or behind it; nil when nothing but a hole follows.
    private func startOfData(from offset: Int) throws(Errno) -> Int? {
        guard offset < byteCount else { return nil }
        let (place, failure) = seek(to: offset, seekData)
        if place >= offset { return place < byteCount ? place : nil }
        switch failure {
        case .noSuchAddressOrDevice: return nil
        // The file system does not tell, so all may be data.
        case .invalidArgument, .notSupported: return offset
        default: throw failure
        }
    }

    /// Where the data end that begin at an offset: the offset itself where there is a hole.
    private func endOfData(from offset: Int) throws(Errno) -> Int {
        let (place, failure) = seek(to: offset, seekHole)
        if place >= offset { return min(place, byteCount) }
        switch failure {
        case .noSuchAddressOrDevice, .invalidArgument, .notSupported: return byteCount
        default: throw failure
        }
    }

    private func seek(to offset: Int, _ kind: CInt) -> (place: Int, failure: Errno) {
        withDescriptor { descriptor in
            let place = lseek(descriptor.rawValue, off_t(offset), kind)
            return (Int(place), Errno(rawValue: errno))
        }
    }

    private func hasItsSize() throws(Errno) -> Bool {
        let (status, size, failure) = withDescriptor { descriptor in
            var facts = stat()
            let status = fstat(descriptor.rawValue, &facts)
            return (status, Int(facts.st_size), Errno(rawValue: errno))
        }
        guard status == 0 else { throw failure }
        return size == byteCount
    }

    private static func add(_ number: Int, to hash: inout SHA256) {
        withUnsafeBytes(of: UInt64(number).littleEndian) { hash.update(bufferPointer: $0) }
    }

    /// Adds those pages of a piece that are not all zeros.
    private static func add(_ bytes: [UInt8], at offset: Int, to hash: inout SHA256) {
        bytes.withUnsafeBytes { all in
            for start in stride(from: 0, to: all.count, by: pageBytes) {
                let page = UnsafeRawBufferPointer(rebasing: all[start..<min(start + pageBytes, all.count)])
                if isZero(page) { continue }
                add(offset + start, to: &hash)
                hash.update(bufferPointer: page)
            }
        }
    }

    private static func isZero(_ page: UnsafeRawBufferPointer) -> Bool {
        // Bytes that equal their neighbours are all as the first.
        guard let start = page.baseAddress, page[0] == 0 else { return page.isEmpty }
        return memcmp(start, start + 1, page.count - 1) == 0
    }
}
