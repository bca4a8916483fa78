package import SystemPackage

/// The log of a kernel that crashed, or the end of it: what a kernel says last is why it stopped.
package struct KernelLog: Hashable, Sendable {
    /// Lines as dmesg(1) prints them. Text of the upload, so it may hold anything.
    package let bytes: [UInt8]
    /// How many bytes came before these and are left out.
    package let omittedBytes: Int

    /// How much is kept, in bytes. Kernels have buffers of 128 KiB to 32 MiB (CONFIG_LOG_BUF_SHIFT), and hardly one has more
    /// than 8 MiB.
    package static let maximumBytes = 8 << 20
    /// How much a program may write that reads the log out of a dump, in bytes: the largest buffer and the times beside it.
    package static let maximumSourceBytes = 64 << 20

    package init(_ bytes: [UInt8], omittedBytes: Int = 0) {
        self.bytes = bytes
        self.omittedBytes = omittedBytes
    }

    /// Reads the end of a log that is a file, from the beginning of a line on; nil when there is no file, or nothing in it
    /// but blanks and zeros. A ``notice`` at its beginning is taken as what it says. Blocking.
    ///
    /// - Parameter limit: How much is read at most, in bytes, the notice included: what was cut here is not cut again.
    /// - Throws: `Errno` when the file cannot be read.
    package init?(at path: FilePath, limit: Int = KernelLog.maximumBytes) throws(Errno) {
        guard let file = try ResultFile(at: path) else { return nil }
        let said = Self.notice(in: try file.read(at: 0, count: min(file.byteCount, Self.noticeBytes)))
        var start = said.byteCount
        if file.byteCount > limit { start = max(start, file.byteCount - max(0, limit - Self.noticeBytes)) }
        var bytes = try file.read(at: start, count: file.byteCount - start)
        if start > said.byteCount, let newline = bytes.prefix(4096).firstIndex(of: UInt8(ascii: "\n")) {
            bytes.removeSubrange(...newline)
            start += newline + 1
        }
        // What was never written is zeros.
        guard bytes.contains(where: { $0 > 0x20 }) else { return nil }
        self.init(bytes, omittedBytes: said.omittedBytes + start - said.byteCount)
    }

    /// The first line of a log of which only the end is kept, without a newline; nil where it is whole.
    package var notice: String? {
        omittedBytes > 0 ? "\(Self.noticeStart)\(omittedBytes)\(Self.noticeEnd)" : nil
    }

    /// The same as a remark beside a result.
    package var remark: String? {
        omittedBytes > 0
            ? "The kernel's log is longer than what is kept of it: its first \(omittedBytes) bytes are left out." : nil
    }

    private static let noticeStart = "[the first "
    private static let noticeEnd = " bytes of this log are left out]"
    /// No notice is longer.
    private static let noticeBytes = 128

    /// What the notice at the beginning of a log says, and how long it is; both 0 where there is none.
    private static func notice(in bytes: [UInt8]) -> (omittedBytes: Int, byteCount: Int) {
        guard bytes.starts(with: noticeStart.utf8), let newline = bytes.firstIndex(of: UInt8(ascii: "\n")) else {
            return (0, 0)
        }
        let digits = bytes[noticeStart.utf8.count..<newline].prefix { (0x30...0x39).contains($0) }
        guard bytes[digits.endIndex..<newline].elementsEqual(noticeEnd.utf8), digits.count <= 18,
            let count = Int(String(decoding: digits, as: UTF8.self))
        else { return (0, 0) }
        return (count, newline + 1)
    }
}
