import Glibc
import Subprocess
package import SystemPackage

/// A RabbitMQ node of the test's own, run by `compose/rabbitmq/private-node`; it ends with the test process at the latest.
package struct PrivateBroker: Sendable {
    package let directory: FilePath
    /// `amqp://guest:guest@127.0.0.1:port/`
    package let url: String

    /// Why there is no broker, for the person whose test failed.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// The URL of the node that all tests of this process share: `RETRACE_TEST_AMQP` when that is set, else one that is
    /// started for the process.
    ///
    /// - Throws: ``Failure`` when there is neither. That fails the test: without a broker nothing is tested.
    package static func sharedURL() async throws -> String {
        if let named = getenv("RETRACE_TEST_AMQP") { return String(cString: named) }
        return try await SharedBroker.instance.url()
    }

    /// Starts a node with a new directory.
    ///
    /// - Parameter prepare: Puts into the directory what the node needs, and gives settings beside the usual ones.
    package static func start(
        _ prepare: (FilePath) async throws -> String = { _ in "" }
    ) async throws -> PrivateBroker {
        var template = Array("/tmp/retrace-broker-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(description: "no temporary directory (errno \(errno))") }
        let name = template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let directory = FilePath(String(decoding: name, as: UTF8.self))
        let settings = Array(try await prepare(directory).utf8)
        let file = try FileDescriptor.open(
            directory.appending("extra.conf"), .writeOnly, options: .create, permissions: .ownerReadWrite)
        _ = try file.closeAfter { try file.writeAll(settings) }
        // private-node removes the directory when this process has ended.
        let mark = directory.appending("temporary")
        try FileDescriptor.open(mark, .writeOnly, options: .create, permissions: .ownerReadWrite).close()
        return PrivateBroker(directory: directory, url: try await startNode(in: directory))
    }

    /// Starts the node again where it was, with the same data and port.
    package func startAgain() async throws {
        _ = try await Self.startNode(in: directory)
    }

    /// Stops the node and keeps its data.
    package func stop() async throws {
        _ = try await Self.privateNode(["stop", directory.string])
    }

    /// Runs rabbitmqctl(8) against the node.
    package func control(_ arguments: String...) async throws {
        _ = try await Self.privateNode(["ctl", directory.string] + arguments)
    }

    /// Sends a signal to the node's process.
    package func signal(_ number: Int32) async throws {
        let file = try FileDescriptor.open(directory.appending("pid"), .readOnly)
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = try file.closeAfter { try bytes.withUnsafeMutableBytes { try file.read(into: $0) } }
        let text = String(decoding: bytes.prefix(count), as: UTF8.self)
        guard let process = Int32(text.prefix { $0.isNumber }), kill(process, number) == 0 else {
            throw Failure(description: "no process '\(text)' to send signal \(number) to")
        }
    }

    /// Stops the node and removes its directory.
    package func remove() async throws {
        try await stop()
        _ = try await run(.name("rm"), arguments: ["-rf", directory.string], output: .discarded)
    }

    private static func startNode(in directory: FilePath) async throws -> String {
        let output = try await privateNode(["start", directory.string, "--while", String(getpid())])
        guard let url = output.split(separator: "\n").last, url.hasPrefix("amqp://") else {
            throw Failure(description: "private-node printed no URL but '\(output)'")
        }
        return String(url)
    }

    private static func privateNode(_ arguments: [String]) async throws -> String {
        var checkout = FilePath(#filePath)
        for _ in 0..<3 { checkout.removeLastComponent() }
        let script = checkout.appending("compose/rabbitmq/private-node")
        let result = try await run(
            .path(script), arguments: Arguments(arguments), output: .string(limit: 1 << 16),
            error: .string(limit: 1 << 20))
        guard result.terminationStatus.isSuccess else {
            throw Failure(
                description:
                    "these tests need a broker: install rabbitmq-server or set RETRACE_TEST_AMQP to the URL of one."
                    + " \(script) \(arguments.joined(separator: " ")): \(result.standardError)")
        }
        return result.standardOutput
    }
}

/// Starts the shared node once, however many tests ask at the same time.
private actor SharedBroker {
    static let instance = SharedBroker()
    private var starting: Task<PrivateBroker, any Error>?

    func url() async throws -> String {
        if let starting { return try await starting.value.url }
        // Awaited at once; a task only because the other callers must find it here.
        let task = Task { try await PrivateBroker.start() }
        starting = task
        return try await task.value.url
    }
}
