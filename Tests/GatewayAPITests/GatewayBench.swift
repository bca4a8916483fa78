import CrashModel
import GatewayAPI
import HTTPConnections
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import JobMessages
import Logging
import NIOCore
import SystemPackage
import TaskStorage
import TestFixtures

/// A gateway on a scratch directory, whose ingest is a closure.
struct GatewayBench: Sendable {
    let spool: FilePath
    let store: TaskStore
    let active = ActiveTasks()
    let limits: GatewayLimits
    let access: AccessRule
    let connections: ConnectionLimits
    let clients: ClientLimiter
    let backlog: QueueBacklog
    let mirrors: [MirroredRelease]
    let freeBytes: @Sendable (FilePath) throws -> UInt64
    let ingest: Ingest
    var extras = Extras()

    /// What few tests need.
    struct Extras: Sendable {
        var isIngestServed: @Sendable () async -> Bool = { false }
        var knowsPackage: @Sendable (PackageQuestion) async throws -> Bool = { _ in false }
        var repositories: FilePath?
        var isOperator: @Sendable (ClientAddress?) -> Bool = { $0?.isLoopback == true }
        var now: @Sendable () -> Int64 = wallClockMicroseconds
        var logger = Logger(label: "gateway", factory: { _ in SwiftLogNoOpLogHandler() })
        var certificate: ServerCertificate?
        var cap: ConnectionCap?
        /// The spool lies so deep that its path has so many bytes.
        var spoolPathLength: Int?
    }

    typealias Ingest = @Sendable (IngestJob, TaskDirectory) -> AsyncThrowingStream<IngestReply, any Error>

    /// Builds a gateway, calls `body` with it and a client, and waits until every connection has ended.
    ///
    /// - Parameter spool: The spool's name below the scratch directory, where it is not that itself; it is not made.
    static func run(
        _ setting: TestingSetup = .router, limits: GatewayLimits = GatewayLimits(), access: AccessRule = AccessRule(),
        connections: ConnectionLimits = ConnectionLimits(), clients: ClientLimiter = ClientLimiter(),
        backlog: QueueBacklog = QueueBacklog(), releases: [String] = ["debian-12-x86_64"],
        mirrors: [MirroredRelease] = [],
        freeBytes: @escaping @Sendable (FilePath) throws -> UInt64 = { try availableBytes(at: $0) },
        spool: String? = nil, ingest: @escaping Ingest = accepting, extras: Extras = Extras(),
        _ body: @escaping @Sendable (GatewayBench, any TestClientProtocol) async throws -> Void,
        afterwards: (GatewayBench) async throws -> Void = { _ in }
    ) async throws {
        try await ScratchDirectory.with { directory in
            let deep = try extras.spoolPathLength.map { try makeDirectory(below: directory, pathLength: $0) }
            let bench = try GatewayBench(
                spool: deep ?? spool.map { directory.appending($0) } ?? directory,
                store: TaskStore(at: directory.appending("tasks.sqlite")), limits: limits,
                access: access, connections: connections, clients: clients, backlog: backlog,
                mirrors: mirrors + releases.map { MirroredRelease(releaseID: try ReleaseID($0), isServed: true) },
                freeBytes: freeBytes, ingest: ingest, extras: extras)
            let application = try bench.application()
            try await application.test(setting) { client in try await body(bench, client) }
            try await afterwards(bench)
        }
    }

    var dependencies: GatewayDependencies {
        GatewayDependencies(
            store: store, active: active, spool: spool, limits: limits, access: access,
            clients: clients, backlog: backlog, mirrors: { mirrors },
            submit: { ingest($0, TaskDirectory($0.taskID, in: spool)) },
            isIngestServed: extras.isIngestServed, knowsPackage: extras.knowsPackage, repositories: extras.repositories,
            isOperator: extras.isOperator, now: extras.now, freeBytes: freeBytes,
            logger: extras.logger)
    }

    private func application() throws -> some ApplicationProtocol {
        // The same for both: they share what was answered last.
        let dependencies = dependencies
        return Application(
            router: try buildRouter(dependencies),
            server: .http(
                limits: connections, certificate: extras.certificate, quick: try quickResponder(dependencies),
                cap: extras.cap),
            configuration: .init(address: .hostname("127.0.0.1", port: 0), serverName: "retrace"),
            logger: dependencies.logger)
    }

    /// Whether neither the disk, the database nor the count of active tasks remembers an upload.
    func nothingIsLeft() async throws -> Bool {
        let directories = try TaskDirectory.tasks(in: spool)
        let rows = try await store.countByState()
        return directories.isEmpty && rows.isEmpty && active.count == 0
    }

    /// A task with a password, its directory and these events.
    ///
    /// - Parameter isAnswered: Whether its client has been told of it.
    func makeTask(
        _ events: [TaskEvent.Kind] = [], stage: Stage = .retrace, isAnswered: Bool = true
    ) async throws -> (TaskDirectory, String) {
        let directory = try TaskDirectory.create(in: spool)
        let password = TaskPassword().text
        try await store.insert(directory.task, type: 0, password: PasswordHash(of: password), microseconds: 1)
        if isAnswered { try await store.markAnswered(directory.task) }
        for (index, kind) in events.enumerated() {
            _ = try await store.apply(
                TaskEvent(
                    task: directory.task, stage: stage, kind: kind, microseconds: Int64(index) * 250_000,
                    message: "\(stage.rawValue) says \(kind.rawValue)"))
        }
        return (directory, password)
    }
}

/// Ingest that picks up and accepts at once.
let accepting: GatewayBench.Ingest = { _, _ in replies([.pickedUp, .accepted]) }

/// A stream of these replies that then ends.
func replies(_ all: [IngestReply]) -> AsyncThrowingStream<IngestReply, any Error> {
    AsyncThrowingStream { stream in
        for reply in all { stream.yield(reply) }
        stream.finish()
    }
}

/// A stream of these replies that then stays silent until nobody listens.
func repliesThenSilence(_ all: [IngestReply]) -> AsyncThrowingStream<IngestReply, any Error> {
    AsyncThrowingStream { stream in for reply in all { stream.yield(reply) } }
}

extension TestClientProtocol {
    /// `POST /create` with a small body, as ABRT's client sends it.
    func upload(
        _ body: String = "archive", type: String? = "application/x-xz-compressed-tar", taskType: String? = nil,
        method: HTTPRequest.Method = .post, more: HTTPFields = [:]
    ) async throws -> TestResponse {
        var headers = more
        headers[.contentType] = type
        headers[.taskType] = taskType
        return try await execute(uri: "/create", method: method, headers: headers, body: ByteBuffer(string: body)) {
            $0
        }
    }

    func get(
        _ path: String, password: String? = nil, method: HTTPRequest.Method = .get, accept: String? = nil,
        more: HTTPFields = [:]
    ) async throws -> TestResponse {
        var headers = more
        headers[.taskPassword] = password
        headers[.accept] = accept
        return try await execute(uri: path, method: method, headers: headers) { $0 }
    }
}

extension TestResponse {
    var text: String { String(buffer: body) }

    /// Exactly one Content-Type, this one, and a Content-Length that is true.
    func isWellFormed(_ type: String = "text/plain") -> Bool {
        headers[values: .contentType] == [type] && headers[values: .contentLength] == [String(body.readableBytes)]
    }
}

/// Folders below each other, until the path of the last one has so many bytes.
private func makeDirectory(below directory: FilePath, pathLength: Int) throws -> FilePath {
    var path = directory
    while path.length < pathLength {
        let rest = pathLength - path.length - 1
        // A name has 255 bytes at most, and the last one at least one.
        path.append(String(repeating: "d", count: rest > 250 ? min(200, rest - 2) : rest))
        try DebianArchive.makeDirectories(path)
    }
    return path
}

/// A file with these bytes.
func write(_ bytes: some Sequence<UInt8>, to path: FilePath) throws {
    let file = try SystemPackage.FileDescriptor.open(
        path, .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite])
    try file.closeAfter { _ = try file.writeAll(bytes) }
}
