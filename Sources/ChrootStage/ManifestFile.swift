import FoundationEssentials
import Glibc
import SystemPackage

/// The bytes of a manifest, at most 1 MiB of them; nil when there is none. Blocking.
///
/// - Throws: `Errno` of the system call that failed.
func readFile(_ path: FilePath) throws(Errno) -> [UInt8]? {
    try systemCalls {
        let descriptor: FileDescriptor
        do {
            descriptor = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .noFollow])
        } catch Errno.noSuchFileOrDirectory {
            return nil
        }
        return try descriptor.closeAfter {
            var bytes = [UInt8](repeating: 0, count: 1 << 20)
            var count = 0
            while count < bytes.count {
                let got = try bytes.withUnsafeMutableBytes { buffer in
                    try descriptor.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
                }
                if got == 0 { break }
                count += got
            }
            return Array(bytes.prefix(count))
        }
    }
}

/// Writes `value` beside `path` and renames it over: readers see the old file or the new one. Blocking.
///
/// - Throws: `Errno` of the system call that failed.
func writeJSON(_ value: some Encodable, to path: FilePath) throws(Errno) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    let aside = FilePath(path.string + ".\(UInt32.random(in: 0 ... .max)).partial")
    try systemCalls {
        let bytes = try encoder.encode(value)
        let descriptor = try FileDescriptor.open(
            aside, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: [.ownerReadWrite])
        try descriptor.closeAfter { _ = try descriptor.writeAll(bytes) }
        guard rename(aside.string, path.string) == 0 else { throw Errno(rawValue: errno) }
    }
}

/// Gives System's untyped throws their type: what `FileDescriptor` throws is an `Errno`.
private func systemCalls<Value>(_ body: () throws -> Value) throws(Errno) -> Value {
    do { return try body() } catch let error as Errno { throw error } catch { throw Errno.ioError }
}
