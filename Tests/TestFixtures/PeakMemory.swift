import Glibc
import SystemPackage

/// The memory of this process, for a test that runs apart in a child.
package enum PeakMemory {
    /// By how much the resident memory rises while `body` runs, in bytes (proc(5): `VmHWM`, reset before).
    ///
    /// - Throws: `Errno` when /proc cannot be read or written.
    package static func growth(during body: () throws -> Void) throws -> Int {
        let reset = try FileDescriptor.open("/proc/self/clear_refs", .writeOnly)
        try reset.closeAfter { _ = try reset.writeAll("5".utf8) }
        let before = try value(of: "VmHWM")
        try body()
        return try value(of: "VmHWM") - before
    }

    private static func value(of name: String) throws -> Int {
        let status = String(decoding: try FolderContents.read("/proc/self/status"), as: UTF8.self)
        for line in status.split(separator: "\n") where line.hasPrefix("\(name):") {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            if words.count == 3, words[2] == "kB", let kibibytes = Int(words[1]) { return kibibytes << 10 }
        }
        throw Errno.noData
    }
}
