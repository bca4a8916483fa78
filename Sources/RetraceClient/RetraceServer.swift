import AsyncHTTPClient
import CrashModel
import NIOCore
import NIOHTTP1
package import NIOPosix
import NIOSSL

/// A retrace server, ours or another that speaks ABRT's HTTP API.
package struct RetraceServer: Sendable {
    package let address: ServerAddress
    private let client: HTTPClient

    /// Gives `use` a server and closes its connections afterwards.
    ///
    /// - Parameter isInsecure: Whether any certificate is believed, such as a self-signed one.
    /// - Throws: What `use` throws.
    package static func with<Value: Sendable>(
        _ address: ServerAddress, isInsecure: Bool = false, _ use: (RetraceServer) async throws -> Value
    ) async throws -> Value {
        var tls = TLSConfiguration.makeClientConfiguration()
        if isInsecure { tls.certificateVerification = .none }
        // The server may look at an upload for 45 s before it answers.
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: tls, redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(10), read: .seconds(120)))
        configuration.httpVersion = .http1Only
        // It would ask a host that refuses again and again until the time for connecting is over.
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let outcome: Result<Value, any Error>
        do {
            outcome = .success(try await use(RetraceServer(address: address, client: client)))
        } catch {
            outcome = .failure(error)
        }
        // All requests are over, so nothing is lost when the connections do not close nicely.
        try? await client.shutdown()
        return try outcome.get()
    }

    /// - Throws: ``ClientError`` with `unavailable`.
    package func settings() async throws(ClientError) -> ServerSettings {
        let answer = try await get("settings", nil)
        return try ServerSettings(parsing: answer.body)
    }

    /// Every release that is or was to be mirrored, by name.
    ///
    /// - Throws: ``ClientError`` with `unavailable`.
    package func releases() async throws(ClientError) -> [ReleaseState] {
        try ReleaseState.list(parsing: try await get("releases", nil).body)
    }

    /// Uploads an archive. Memory stays flat.
    ///
    /// - Parameter progress: Called with the bytes that were sent so far.
    /// - Throws: ``ClientError`` with `refused` and the server's words, or `unavailable`.
    package func create(
        _ archive: PackedArchive, threadPool: NIOThreadPool = .singleton,
        progress: @escaping @Sendable (Int64) -> Void = { _ in }
    ) async throws(ClientError) -> TaskCredentials {
        var request = request(.POST, "create")
        request.headers.add(name: "Content-Type", value: archive.format.mediaType)
        request.headers.add(name: "X-Task-Type", value: String(archive.taskType))
        let chunks = FileChunks(
            descriptor: archive.descriptor, byteCount: archive.byteCount, threadPool: threadPool, progress: progress)
        request.body = .stream(chunks, length: .known(archive.byteCount))
        let answer = try await send(request)
        guard answer.status == 201 else { throw answer.failure(at: address, doing: "taking the upload") }
        guard let id = answer.header("X-Task-Id").flatMap({ try? TaskID($0) }),
            let password = answer.header("X-Task-Password"), !password.isEmpty
        else {
            throw ClientError(
                .unavailable, "\(address) took the upload but named no task, so it is probably not a retrace server.")
        }
        return TaskCredentials(task: id, password: password)
    }

    /// - Throws: ``ClientError`` with `denied`, `refused` (no such task) or `unavailable`.
    package func status(of task: TaskCredentials) async throws(ClientError) -> TaskStatus {
        let answer = try await get(task.task.description, task)
        guard let word = answer.header("X-Task-Status") else {
            throw ClientError(
                .unavailable, "\(address) told no status of the task, so it is probably not a retrace server.")
        }
        return TaskStatus(word: word, body: answer.body)
    }

    /// A result of a task, a piece at a time.
    ///
    /// - Parameters:
    ///   - document: What stands after the task's id in the address: `backtrace`, `backtrace.json`, `log`.
    ///   - take: Takes one piece.
    /// - Throws: ``ClientError`` as ``status(of:)`` does, and what `take` throws.
    package func download(
        _ document: String, of task: TaskCredentials, _ take: ([UInt8]) async throws -> Void
    ) async throws(ClientError) {
        let request = request(.GET, "\(task.task)/\(document)", task)
        do {
            let response = try await client.execute(request, deadline: .distantFuture)
            guard response.status == .ok else {
                throw try await Answer(response).failure(at: address, doing: "giving the \(document)")
            }
            for try await buffer in response.body { try await take(Array(buffer.readableBytesView)) }
        } catch let error as ClientError {
            throw error
        } catch {
            throw ClientError(transport: error, at: address)
        }
    }

    /// A whole result as text, at most `limit` bytes of it.
    package func text(
        _ document: String, of task: TaskCredentials, limit: Int = 16 << 20
    ) async throws(ClientError) -> String {
        var bytes: [UInt8] = []
        try await download(document, of: task) { piece in
            bytes += piece.prefix(max(0, limit - bytes.count))
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Begins a request whose answer is read as it comes.
    func open(_ path: String, _ task: TaskCredentials, accept: String) async throws -> HTTPClientResponse {
        var request = request(.GET, path, task)
        request.headers.add(name: "Accept", value: accept)
        return try await client.execute(request, deadline: .distantFuture)
    }

    private func get(_ path: String, _ task: TaskCredentials?) async throws(ClientError) -> Answer {
        let answer = try await send(request(.GET, path, task))
        guard answer.status == 200 else { throw answer.failure(at: address, doing: "answering /\(path)") }
        return answer
    }

    private func request(_ method: HTTPMethod, _ path: String, _ task: TaskCredentials? = nil) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: address.url(path))
        request.method = method
        request.headers.add(name: "User-Agent", value: "retrace")
        if let task { request.headers.add(name: "X-Task-Password", value: task.password) }
        return request
    }

    private func send(_ request: HTTPClientRequest) async throws(ClientError) -> Answer {
        do {
            return try await Answer(client.execute(request, deadline: .distantFuture))
        } catch {
            throw ClientError(transport: error, at: address)
        }
    }
}
