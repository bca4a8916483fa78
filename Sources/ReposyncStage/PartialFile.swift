import Crypto
import Glibc
import NIOCore
import Synchronization
import SystemPackage

/// A download in the making: `<name>.partial`, which becomes the file only when size and SHA-256 are right.
///
/// What an earlier try left is kept and counted, so that a download goes on where it stopped. All methods block.
final class PartialFile: Sendable {
    private let path: FilePath
    private let wanted: WantedFile
    private let state: Mutex<State>

    private struct State {
        var descriptor: SystemPackage.FileDescriptor?
        var digest = SHA256()
        var count: UInt64 = 0
    }

    /// Opens what is there, and takes it into the digest.
    init(_ wanted: WantedFile, for destination: FilePath) throws {
        path = FilePath(destination.string + ".partial")
        self.wanted = wanted
        let descriptor = try SystemPackage.FileDescriptor.open(
            path, .readWrite, options: [.create, .noFollow, .closeOnExec],
            permissions: [.ownerReadWrite, .groupRead, .otherRead])
        state = Mutex(State(descriptor: descriptor))
        try state.withLock { state in
            var chunk = [UInt8](repeating: 0, count: 262_144)
            while true {
                let count = try chunk.withUnsafeMutableBytes { try descriptor.read(into: $0) }
                if count == 0 { break }
                state.digest.update(data: chunk[..<count])
                state.count += UInt64(count)
            }
        }
        if byteCount >= wanted.byteCount { try restart() }
    }

    deinit {
        // Closing can fail only on data that a later sync of the same file would find short and fetch again.
        state.withLock { state in
            if let descriptor = state.descriptor { Glibc.close(descriptor.rawValue) }
        }
    }

    var byteCount: UInt64 { state.withLock { $0.count } }

    /// Forgets what is there.
    func restart() throws {
        try state.withLock { state in
            guard let descriptor = state.descriptor else { return }
            guard ftruncate(descriptor.rawValue, 0) == 0 else { throw Errno(rawValue: errno) }
            try descriptor.seek(offset: 0, from: .start)
            state.digest = SHA256()
            state.count = 0
        }
    }

    /// - Throws: ``MirrorFailure`` when the mirror sends more than the file has.
    func append(_ buffer: ByteBuffer) throws {
        try state.withLock { state in
            guard let descriptor = state.descriptor else { return }
            guard state.count + UInt64(buffer.readableBytes) <= wanted.byteCount else {
                throw MirrorFailure(.altered, "\(wanted.name) is longer than the \(wanted.byteCount) bytes announced")
            }
            try buffer.withUnsafeReadableBytes { bytes in
                _ = try descriptor.writeAll(bytes)
                state.digest.update(bufferPointer: bytes)
            }
            state.count += UInt64(buffer.readableBytes)
        }
    }

    /// Verifies and renames; a file that is complete but wrong is thrown away.
    func finish(as destination: FilePath) throws {
        try state.withLock { state in
            guard let descriptor = state.descriptor else { return }
            guard state.count == wanted.byteCount else {
                throw MirrorFailure(
                    .unreachable, "\(wanted.name) ended after \(state.count) of \(wanted.byteCount) bytes")
            }
            guard hexadecimal(state.digest.finalize()) == wanted.sha256 else {
                try removeFile(path)
                throw MirrorFailure(.altered, "\(wanted.name) has another SHA-256 than announced")
            }
            guard fchmod(descriptor.rawValue, 0o644) == 0, rename(path.string, destination.string) == 0 else {
                throw Errno(rawValue: errno)
            }
            state.descriptor = nil
            try descriptor.close()
        }
    }
}

/// Bytes in lower-case hex.
func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
