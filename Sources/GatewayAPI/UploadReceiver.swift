import CrashModel
import HTTPConnections
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import SystemPackage
import TaskStorage

/// Writes the body of one `/create` to disk, a buffer at a time: memory stays flat whatever the size.
struct UploadReceiver: Sendable {
    let dependencies: GatewayDependencies
    let directory: TaskDirectory
    let headers: UploadHeaders
    let slot: UploadSlot

    /// What is gathered before it goes to the thread pool, in bytes.
    private static let bufferSize = 256 << 10

    /// Reads the body to its end. The file is closed afterwards, whatever happened; the caller removes it.
    ///
    /// - Throws: ``Refusal`` with 413 for more than was declared, 400 for less, 507 for a full disk, 500 for a bad one.
    func receive(_ body: RequestBody) async throws(Refusal) {
        let file = try await disk { try directory.createUpload() }
        var outcome: Refusal?
        do throws(Refusal) {
            try await copy(body, to: file)
        } catch {
            outcome = error
        }
        // close(2) is where a network file system says that a write has failed after all.
        do throws(Refusal) {
            try await disk { try file.close() }
        } catch {
            outcome = outcome ?? error
        }
        if let outcome { throw outcome }
    }

    private func copy(_ body: RequestBody, to file: SystemPackage.FileDescriptor) async throws(Refusal) {
        var received = 0
        var buffer = ByteBuffer()
        var chunks = body.makeAsyncIterator()
        while let chunk = try await next(&chunks, received) {
            received += chunk.readableBytes
            guard received <= headers.contentLength else {
                throw Refusal(.contentTooLarge, .longerThanDeclared)
            }
            buffer.writeImmutableBuffer(chunk)
            if buffer.readableBytes >= Self.bufferSize { try await write(&buffer, to: file) }
        }
        if buffer.readableBytes > 0 { try await write(&buffer, to: file) }
        guard received == headers.contentLength else { throw incomplete(received) }
    }

    private func next(
        _ chunks: inout RequestBody.AsyncIterator, _ received: Int
    ) async throws(Refusal) -> ByteBuffer? {
        do {
            return try await chunks.next()
        } catch is BodyTimedOut {
            throw Refusal(
                .requestTimeout, .uploadWentSilent, advice: .sendItAgain,
                with: ["received": received, "declared": headers.contentLength])
        } catch let error as BodyTooSlow {
            throw Refusal(
                .requestTimeout, .uploadTrickles, advice: .compressOrHurry,
                with: ["pace": max(1, error.minPace >> 10), "received": received, "declared": headers.contentLength])
        } catch {
            throw incomplete(received)
        }
    }

    private func incomplete(_ received: Int) -> Refusal {
        Refusal(
            .badRequest, .uploadIncomplete, advice: .sendItAgain,
            with: ["received": received, "declared": headers.contentLength])
    }

    private func write(_ buffer: inout ByteBuffer, to file: SystemPackage.FileDescriptor) async throws(Refusal) {
        let full = buffer
        try await disk { try full.withUnsafeReadableBytes { _ = try file.writeAll($0) } }
        slot.written(full.readableBytes)
        buffer.clear(minimumCapacity: Self.bufferSize)
    }

    private func disk<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws(Refusal) -> Value {
        do {
            return try await dependencies.onDisk(work)
        } catch {
            dependencies.logger.error(
                "the upload cannot be stored", metadata: ["task": "\(directory.task)", "error": "\(error)"])
            if let error = error as? Errno, error == .noSpace || error == .diskQuotaExceeded { throw Refusal.diskFull }
            throw Refusal(.internalServerError, .uploadNotStored, advice: .tryLaterOrTell)
        }
    }
}
