import CrashModel
import GatewayAPI
import Glibc
import HTTPConnections
import Hummingbird
import JobMessages
import Logging
package import SystemPackage
import TaskStorage
import TestFixtures

/// The gateway behind a socket of the loopback, on the connections of production: bytes, whatever they are, are what a
/// client sends.
///
/// There is one task, 123456789 with the password `fuzz`, whose results are there; every upload is picked up and refused,
/// so that nothing of it may stay.
package final class HTTPTarget: Sendable {
    private let spool: FilePath
    private let store: TaskStore
    private let active = ActiveTasks()

    /// - Parameter scratch: An empty directory.
    package init(in scratch: FilePath) throws {
        spool = scratch.appending("spool")
        guard mkdir(spool.string, 0o755) == 0 else { throw Errno(rawValue: errno) }
        store = try TaskStore(at: scratch.appending("tasks.sqlite"))
    }

    /// So short that a fuzzer meets them.
    private static let connections = ConnectionLimits(
        headTimeout: .seconds(2), bodyTimeout: .seconds(2), keepAliveTimeout: .seconds(2), writeTimeout: .seconds(2),
        lingerTimeout: .milliseconds(200), drainTimeout: .seconds(1), paceGrace: .seconds(1), maxHeadBytes: 4096,
        maxDrainedBytes: 4096, maxNoticeBytes: 1024)

    /// Serves until it is cancelled.
    ///
    /// - Parameter listening: Is told the port.
    package func serve(listening: @escaping @Sendable (Int) async -> Void) async throws {
        try await makeTask()
        let refusal = StageError(.ingest, StageError.Code("unsafe-member"), "The fuzzer's uploads are refused.")
        let releases = [MirroredRelease(releaseID: try ReleaseID("debian-12-x86_64"), isServed: true)]
        let logger = Logger(label: "fuzz", factory: { _ in SwiftLogNoOpLogHandler() })
        let dependencies = GatewayDependencies(
            store: store, active: active, spool: spool,
            limits: GatewayLimits(maxPackedMebibytes: 1, minFreeMebibytes: 0, allowMetrics: true),
            // More than a fuzzer does in an hour: it would else only hear that it asks too often.
            clients: ClientLimiter(ClientLimits(tasksPerHour: 1 << 30, wrongPasswordsPerHour: 1 << 30)),
            mirrors: { releases },
            submit: { _ in
                AsyncThrowingStream { stream in
                    stream.yield(.pickedUp)
                    stream.yield(.refused(refusal))
                    stream.finish()
                }
            }, logger: logger)
        let application = Application(
            router: try buildRouter(dependencies),
            server: .http(limits: Self.connections, quick: try quickResponder(dependencies)),
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in await listening(channel.localAddress?.port ?? 0) }, logger: logger)
        try await application.run()
    }

    /// Sends the bytes on a connection of their own, takes the answer and closes. Blocking.
    ///
    /// - Parameter patience: How long to wait for the first byte of the answer, in milliseconds; unfinished requests get none.
    /// - Returns: The status of the first answer; nil when none came.
    /// - Throws: ``FuzzViolation``, or `Errno` when no connection can be made.
    @discardableResult
    package func take(_ input: some Collection<UInt8>, port: Int, patience: Int) throws -> Int? {
        let answer = try exchange(Array(input), port: port, patience: patience)
        guard !answer.isEmpty else { return nil }
        let isStatus =
            answer.starts(with: "HTTP/1.".utf8) && answer.count >= 12
            && answer[9..<12].allSatisfy { (0x30...0x39).contains($0) }
        guard isStatus else { throw FuzzViolation("The answer has no status: \(answer.prefix(80)).") }
        return Int(String(decoding: answer[9..<12], as: UTF8.self))
    }

    /// Whether no upload is in work and nothing of one is on the disk or in the database.
    package func nothingIsLeft() -> Bool {
        active.count == 0 && FolderContents.names(in: spool) == ["123456789"]
            && Set(FolderContents.names(in: spool.appending("123456789"))).isSubset(of: Self.results)
    }

    private static let results: Set<String> = ["backtrace", "backtrace.json", "retrace-log", "results"]

    private func makeTask() async throws {
        let directory = TaskDirectory(try TaskID("123456789"), in: spool)
        guard mkdir(directory.path.string, 0o711) == 0, mkdir(directory.results.string, 0o700) == 0 else {
            throw Errno(rawValue: errno)
        }
        try await store.insert(directory.task, type: 0, password: PasswordHash(of: "fuzz"), microseconds: 1)
        for stage in Stage.allCases where stage != .fetch {
            _ = try await store.apply(
                TaskEvent(task: directory.task, stage: stage, kind: .succeeded, microseconds: 2, message: "done"))
        }
        let text = Array(repeating: "#0  0x0 in main ()\n", count: 200).joined()
        try FolderContents.write(text.utf8, to: directory.backtrace)
        try FolderContents.write("{\"threads\": []}\n".utf8, to: directory.backtraceJSON)
        try FolderContents.write("log\n".utf8, to: directory.log)
        try FolderContents.write("rating: 3\n".utf8, to: directory.results.appending("exploitable"))
    }

    private func exchange(_ bytes: [UInt8], port: Int, patience: Int) throws -> [UInt8] {
        let socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { throw Errno(rawValue: errno) }
        defer { close(socket) }
        wait(on: socket, milliseconds: patience)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw Errno(rawValue: errno) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
            // The server may have answered and closed already.
            guard sent > 0 else { break }
            rest = rest.dropFirst(sent)
        }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while answer.count < 4 << 20 {
            let got = recv(socket, &buffer, buffer.count, 0)
            guard got > 0 else { break }
            // The connection is kept alive, so that nothing tells the end of the last answer but silence.
            if answer.isEmpty { wait(on: socket, milliseconds: 5) }
            answer += buffer[..<got]
        }
        return answer
    }

    private func wait(on socket: CInt, milliseconds: Int) {
        var time = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }
}
