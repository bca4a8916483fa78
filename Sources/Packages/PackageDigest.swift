import Crypto
package import SystemPackage

/// The SHA-256 of a file in lower-case hex, and its size in bytes. Streams; blocking.
///
/// - Throws: `Errno` of the system call that failed.
package func packageDigest(of file: FilePath) throws(Errno) -> (sha256: String, byteCount: UInt64) {
    let descriptor = try opening { () throws in try FileDescriptor.open(file, .readOnly, options: .closeOnExec) }
    defer { try? descriptor.close() }
    var hash = SHA256()
    var total: UInt64 = 0
    var chunk = [UInt8](repeating: 0, count: 1 << 18)
    while true {
        let count = try opening { () throws in
            let count = try chunk.withUnsafeMutableBytes { try descriptor.read(into: $0) }
            chunk.withUnsafeBytes { hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            return count
        }
        if count == 0 { break }
        total += UInt64(count)
    }
    let digits = Array("0123456789abcdef".utf8)
    let text = hash.finalize().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    return (String(decoding: text, as: UTF8.self), total)
}
