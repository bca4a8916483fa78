import AsyncHTTPClient
import CrashModel
import NIOCore
import NIOHTTP1
import SystemPackage

extension Downloader {
    /// Brings a file of which nobody knows size or digest to `destination`; what was there goes.
    ///
    /// - Parameter limit: The most that it may have, in bytes.
    /// - Throws: ``MirrorFailure``, or `Errno` of this machine's disk.
    func whole(
        _ path: String, at mirror: MirrorAddress, to destination: FilePath, limit: UInt64
    ) async throws {
        switch mirror {
        case .folder(let folder):
            try await blocking { try copyWhole(folder.appending(path), named: path, to: destination, limit) }
        case .tool(let tool): try await bring(path, at: tool, to: destination, limit: limit)
        case .web(let base):
            try await request(MirrorAddress.url(base, path), named: path, from: 0) { response in
                guard response.status == .ok else { throw Self.refusal(response, path) }
                let file = try await blocking { try emptyFile(at: destination) }
                do {
                    var total: UInt64 = 0
                    try await forEachPiece(of: response, named: path) { buffer in
                        total += UInt64(buffer.readableBytes)
                        guard total <= limit else { throw tooLong(path, limit) }
                        try await blocking { _ = try file.writeAll(buffer.readableBytesView) }
                    }
                } catch {
                    try? file.close()
                    throw error
                }
                try file.close()
            }
        }
    }
}

private func tooLong(_ name: String, _ limit: UInt64) -> MirrorFailure {
    MirrorFailure(.altered, "\(name) is longer than \(limit >> 20) MiB")
}

private func emptyFile(at path: FilePath) throws -> SystemPackage.FileDescriptor {
    try SystemPackage.FileDescriptor.open(
        path, .writeOnly, options: [.create, .truncate, .closeOnExec], permissions: [.ownerReadWrite])
}

/// Blocking.
private func copyWhole(_ source: FilePath, named name: String, to destination: FilePath, _ limit: UInt64) throws {
    guard let size = fileSize(source) else { throw MirrorFailure(.missing, "there is no \(name)") }
    guard size <= limit else { throw tooLong(name, limit) }
    let input: SystemPackage.FileDescriptor
    do {
        input = try SystemPackage.FileDescriptor.open(source, .readOnly, options: .closeOnExec)
    } catch {
        throw MirrorFailure(.unreachable, "\(name) cannot be read: \(error)")
    }
    defer { try? input.close() }
    let output = try emptyFile(at: destination)
    defer { try? output.close() }
    var total: UInt64 = 0
    var chunk = [UInt8](repeating: 0, count: 262_144)
    while true {
        let count: Int
        do {
            count = try chunk.withUnsafeMutableBytes { try input.read(into: $0) }
        } catch {
            throw MirrorFailure(.unreachable, "\(name) cannot be read: \(error)")
        }
        if count == 0 { return }
        total += UInt64(count)
        guard total <= limit else { throw tooLong(name, limit) }
        _ = try output.writeAll(chunk[..<count])
    }
}
