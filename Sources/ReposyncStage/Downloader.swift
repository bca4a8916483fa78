import AsyncHTTPClient
import CrashModel
import Distributions
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import SystemPackage

/// Fetches files from mirrors, verified and resumed. What it does to the disk happens on a thread pool.
struct Downloader: Sendable {
    let client: HTTPClient
    let pool: NIOThreadPool
    let limits: SyncLimits
    let rates: RateLimits

    /// Lends a downloader whose client is shut down afterwards.
    static func with<Value: Sendable>(
        _ limits: SyncLimits, rates: RateLimits = RateLimits(), _ body: (Downloader) async throws -> Value
    ) async throws -> Value {
        let client = client(limits)
        let result: Result<Value, any Error>
        do {
            result = .success(
                try await body(
                    Downloader(client: client, pool: .singleton, limits: limits, rates: rates)))
        } catch {
            result = .failure(error)
        }
        // A client that is already down has nothing left to shut down.
        try? await client.shutdown()
        return try result.get()
    }

    private static func client(_ limits: SyncLimits) -> HTTPClient {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .follow(max: 5, allowCycles: false),
            timeout: .init(connect: .seconds(limits.connectSeconds), read: .seconds(limits.silenceSeconds)))
        configuration.httpVersion = .http1Only
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = max(limits.downloads, 1)
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// The whole of a small file whose digest nobody knows yet.
    ///
    /// - Throws: ``MirrorFailure``, or an error of this machine's disk.
    func small(_ path: String, at mirror: MirrorAddress, limit: Int) async throws -> [UInt8] {
        switch mirror {
        case .folder(let folder):
            return try await blocking {
                do {
                    return try readFile(folder.appending(path), limit: limit)
                } catch Errno.noSuchFileOrDirectory {
                    throw MirrorFailure(.missing, "there is no \(path)")
                } catch let error as Errno {
                    throw MirrorFailure(.unreachable, "\(path) cannot be read: \(error)")
                }
            }
        case .tool(let tool): return try await bringSmall(path, at: tool, limit: limit)
        case .web(let base):
            return try await request(MirrorAddress.url(base, path), named: path, from: 0) { response in
                guard response.status == .ok else { throw Self.refusal(response, path) }
                var bytes: [UInt8] = []
                try await forEachPiece(of: response, named: path) { buffer in
                    bytes += buffer.readableBytesView
                    guard bytes.count <= limit else {
                        throw MirrorFailure(.altered, "\(path) is longer than \(limit) bytes")
                    }
                }
                return bytes
            }
        }
    }

    /// Fetches a file to `destination` unless one of these mirrors fails too.
    ///
    /// - Parameters:
    ///   - repository: Whose rate limit the download keeps.
    ///   - received: Called with the number of bytes that came, for the progress.
    /// - Throws: ``CrashModel/StageError`` when every mirror failed.
    func fetch(
        _ wanted: WantedFile, of repository: Repository, from mirrors: [MirrorAddress], to destination: FilePath,
        received: @Sendable (Int) async throws -> Void
    ) async throws {
        var failures: [(MirrorAddress, any Error)] = []
        for mirror in mirrors {
            for path in [wanted.byHash, wanted.path].compactMap({ $0 }) {
                for attempt in 1...max(limits.attemptsPerMirror, 1) {
                    do {
                        try await fetchOnce(
                            wanted, path: path, at: mirror, to: destination, repository, received: received)
                        return
                    } catch let failure as MirrorFailure {
                        failures.append((mirror, failure))
                        if failure.kind == .missing || attempt == limits.attemptsPerMirror { break }
                    } catch let error as Errno {
                        throw StageError.mirrorStorage("take \(wanted.name)", error)
                    }
                }
            }
        }
        throw StageError.allMirrorsFailed(wanted.name, failures)
    }

    private func fetchOnce(
        _ wanted: WantedFile, path: String, at mirror: MirrorAddress, to destination: FilePath,
        _ repository: Repository, received: @Sendable (Int) async throws -> Void
    ) async throws {
        let rate = rates.limit(of: repository)
        let file = try await blocking {
            try makeDirectories(destination.removingLastComponent())
            return try PartialFile(wanted, for: destination)
        }
        switch mirror {
        case .folder(let folder):
            try await blocking { try copy(folder.appending(path), named: wanted.name, to: file) }
            try await rate?.took(Int(clamping: wanted.byteCount))
            try await received(Int(clamping: wanted.byteCount))
        case .tool(let tool):
            let brought = FilePath(destination.string + ".brought")
            // A tool has its own limit; it gets its share of that of all.
            let share = repository.bytesPerSecond.map { $0 / UInt64(max(limits.downloads, 1)) }
            try await bring(path, at: tool, to: brought, limit: wanted.byteCount, bytesPerSecond: share)
            try await blocking {
                defer { unlink(brought.string) }
                try copy(brought, named: wanted.name, to: file)
                try file.finish(as: destination)
            }
            return try await received(Int(clamping: wanted.byteCount))
        case .web(let base):
            let start = file.byteCount
            try await request(MirrorAddress.url(base, path), named: wanted.name, from: start) { response in
                let skipped = try await begin(response, at: start, wanted, file)
                try await received(Int(clamping: skipped))
                try await forEachPiece(of: response, named: wanted.name) { buffer in
                    try await blocking { try file.append(buffer) }
                    try await rate?.took(buffer.readableBytes)
                    try await received(buffer.readableBytes)
                }
            }
        }
        try await blocking { try file.finish(as: destination) }
    }

    /// Reads a body while its mirror keeps up the pace; the client's own deadline ends with the head of the response.
    func forEachPiece(
        of response: HTTPClientResponse, named name: String, _ take: (ByteBuffer) async throws -> Void
    ) async throws {
        let clock = ContinuousClock()
        var pace = MirrorPace(limits)
        var start = clock.now
        for try await buffer in response.body {
            try pace.received(buffer.readableBytes, of: name, after: clock.now - start)
            try await take(buffer)
            start = clock.now
        }
    }

    /// Decides by the answer whether the body continues the file; gives the bytes that need not come again.
    private func begin(
        _ response: HTTPClientResponse, at start: UInt64, _ wanted: WantedFile, _ file: PartialFile
    ) async throws -> UInt64 {
        switch response.status {
        case .partialContent where response.headers.first(name: "content-range")?.hasPrefix("bytes \(start)-") == true:
            return start
        case .ok:
            if start > 0 { try await blocking { try file.restart() } }
            return 0
        case .rangeNotSatisfiable, .partialContent:
            try await blocking { try file.restart() }
            throw MirrorFailure(.unreachable, "it did not continue \(wanted.name) where the last download stopped")
        default:
            throw Self.refusal(response, wanted.name)
        }
    }

    func request<Value: Sendable>(
        _ url: String, named name: String, from start: UInt64,
        _ take: (HTTPClientResponse) async throws -> Value
    ) async throws -> Value {
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "user-agent", value: "retrace-reposync")
        if start > 0 { request.headers.add(name: "range", value: "bytes=\(start)-") }
        do {
            return try await take(try await client.execute(request, timeout: .seconds(limits.fileSeconds)))
        } catch let error as MirrorFailure {
            throw error
        } catch let error as Errno {
            throw error
        } catch {
            try Task.checkCancellation()
            throw MirrorFailure(.unreachable, "\(name) did not come: \(error)")
        }
    }

    static func refusal(_ response: HTTPClientResponse, _ name: String) -> MirrorFailure {
        let isMissing = response.status == .notFound || response.status == .gone
        return MirrorFailure(isMissing ? .missing : .unreachable, "it answered \(response.status) for \(name)")
    }

    func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await pool.runIfActive(body)
    }
}

/// Takes a file of a local folder; blocking.
private func copy(_ source: FilePath, named name: String, to file: PartialFile) throws {
    let input: SystemPackage.FileDescriptor
    do {
        input = try SystemPackage.FileDescriptor.open(source, .readOnly, options: .closeOnExec)
    } catch Errno.noSuchFileOrDirectory {
        throw MirrorFailure(.missing, "there is no \(name)")
    } catch {
        throw MirrorFailure(.unreachable, "\(name) cannot be read: \(error)")
    }
    try input.closeAfter {
        try file.restart()
        var chunk = [UInt8](repeating: 0, count: 262_144)
        while true {
            let count: Int
            do {
                count = try chunk.withUnsafeMutableBytes { try input.read(into: $0) }
            } catch {
                // It is the mirror's disk that fails, and another mirror may do.
                throw MirrorFailure(.unreachable, "\(name) cannot be read: \(error)")
            }
            if count == 0 { return }
            try file.append(ByteBuffer(bytes: chunk[..<count]))
        }
    }
}
