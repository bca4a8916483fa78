import CrashModel
import Glibc
import JobMessages
import Logging
import MessageQueue
import Sandbox
import SystemPackage
import TestFixtures

/// A whole installation of a test: a broker of its own, the six real executables as processes, and their state in a
/// directory that goes with them. It is reached as its users reach it, over HTTP and RabbitMQ.
struct Stack: Sendable {
    @TaskLocal static var running: Stack?

    let directory: FilePath
    let node: PrivateBroker
    /// A connection of the test's own.
    let queue: MessageBroker
    let services: [ServiceProcess]
    /// Every event that any service sent.
    let events = Record<TaskEvent>()
    /// A copy of every job that went over the exchange, with its routing key.
    let jobs = Record<(stage: String, body: [UInt8])>()
    /// The release that the tests made, and crashes of its programs.
    let made: MadeRelease
    /// A release of RPMs, whose packages are made when a test needs them.
    let plum: MadeRPMRelease
    /// A release with a kernel, whose dumps and packages are made when a test needs them.
    let kernels: MadeKernelRelease
    let address = GatewayAddress()
    private let starts: AsyncStream<ServiceProcess>.Continuation

    var spool: FilePath { directory.appending("spool") }
    var store: FilePath { directory.appending("store") }
    var repositories: FilePath { directory.appending("repositories") }
    /// Whose dumps of kernels the gateway takes where they lie.
    var dumps: FilePath { directory.appending("dumps") }
    /// The same on another file system, in memory.
    var distantDumps: FilePath { Self.distantDumps(of: directory) }
    static func distantDumps(of directory: FilePath) -> FilePath {
        FilePath("/dev/shm").appending(directory.lastComponent?.string ?? "retrace-live")
    }

    /// Why the stack is not what it should be, with what the services said last.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    static let serviceNames = ["gateway", "ingest", "resolver", "chroot-builder", "retracer", "reposync"]
    private static let eventQueue = "test.events"
    private static let jobQueue = "test.jobs"

    /// Whether this host has what a stack needs; without a broker or a debugger nothing would be tested here.
    static let missing = [
        "/usr/bin/gdb", "/usr/bin/gcc", "/usr/bin/bwrap", "/usr/bin/dpkg-deb", "/usr/bin/gpgv",
        "/usr/lib/rabbitmq/bin/rabbitmq-server",
    ].filter { (path: String) in access(path, X_OK) != 0 }

    /// Starts a stack with a synchronised release, runs `body`, and ends all that was started, whatever happened.
    static func with(_ body: @Sendable (Stack) async throws -> Void) async throws {
        guard missing.isEmpty else {
            throw Failure(description: "the journey needs \(missing.joined(separator: ", ")): install what has them")
        }
        let directory = try await temporaryDirectory()
        let guardian = Guardian(directory: directory)
        do {
            let others = try await guardian.watching { try await withBroker(directory, body) }
            try await Guardian.expectNoProcess(of: [directory] + others)
        } catch {
            try await guardian.removeDirectory()
            throw error
        }
        try await guardian.removeDirectory()
    }

    /// - Returns: The directories of what was started beside the stack: the broker, the keeper of the key.
    private static func withBroker(
        _ directory: FilePath, _ body: @Sendable (Stack) async throws -> Void
    ) async throws -> [FilePath] {
        async let starting = PrivateBroker.start()
        let made: MadeRelease
        do {
            made = try await MadeRelease(in: directory)
        } catch {
            try await starting.remove()
            throw error
        }
        let node = try await starting
        let plum: MadeRPMRelease
        do {
            plum = try await MadeRPMRelease(beside: made)
        } catch {
            try await made.key.remove()
            try await node.remove()
            throw error
        }
        do {
            try await run(directory, node, made, plum, body)
        } catch {
            try await plum.remove()
            try await made.key.remove()
            try await node.remove()
            throw error
        }
        try await plum.remove()
        try await made.key.remove()
        try await node.remove()
        return [node.directory, made.key.home, plum.keyring]
    }

    private static func run(
        _ directory: FilePath, _ node: PrivateBroker, _ made: MadeRelease, _ plum: MadeRPMRelease,
        _ body: @Sendable (Stack) async throws -> Void
    ) async throws {
        let (orders, starts) = AsyncStream.makeStream(of: ServiceProcess.self)
        let kernels = try MadeKernelRelease(beside: made)
        let queue = try MessageBroker(
            BrokerAddress(url: node.url), topology: topology, name: "test", logger: quiet)
        let stack = Stack(
            directory: directory, node: node, queue: queue, made: made, plum: plum, kernels: kernels,
            starts: starts)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await withTaskGroup(of: Void.self) { processes in
                    for await service in orders {
                        processes.addTask { await stack.live(service) }
                    }
                }
            }
            try await queue.connect()
            let eventDeliveries = try await queue.consume(eventQueue, prefetch: 32)
            let jobDeliveries = try await queue.consume(jobQueue, prefetch: 32)
            group.addTask { try await stack.witness(eventDeliveries) }
            group.addTask { try await stack.witness(jobDeliveries) }
            defer {
                starts.finish()
                group.cancelAll()
            }
            for service in stack.services { try await stack.start(service) }
            try await stack.synchronise()
            try await body(stack)
            try await stack.stop()
            await queue.close()
        }
    }

    private init(
        directory: FilePath, node: PrivateBroker, queue: MessageBroker, made: MadeRelease, plum: MadeRPMRelease,
        kernels: MadeKernelRelease, starts: AsyncStream<ServiceProcess>.Continuation
    ) {
        self.directory = directory
        self.node = node
        self.queue = queue
        self.made = made
        self.plum = plum
        self.kernels = kernels
        self.starts = starts
        services = Self.serviceNames.map(ServiceProcess.init)
    }

    /// The services' own topology, and copies of events and jobs for the test.
    private static var topology: Topology {
        var topology = Topology.retrace(stages: Stage.allCases.map(\.rawValue))
        topology.queues += [.init(eventQueue, arguments: [:]), .init(jobQueue, arguments: [:])]
        topology.bindings.append(.init(queue: eventQueue, exchange: QueueNames.events, routingKey: "task.#"))
        for stage in Stage.allCases {
            topology.bindings.append(.init(queue: jobQueue, exchange: QueueNames.jobs, routingKey: stage.rawValue))
        }
        return topology
    }

    private func witness(_ deliveries: Deliveries) async throws {
        for await delivery in deliveries {
            if delivery.exchange == QueueNames.events {
                await events.append(try JobCoding.decode(TaskEvent.self, from: delivery.body))
            } else {
                await jobs.append((delivery.routingKey, delivery.body))
            }
            // The broker of these tests goes away at times; what comes twice is seen twice.
            try? await delivery.ack()
        }
    }

    /// Starts a service and waits until it says that it takes work.
    func start(_ service: ServiceProcess) async throws {
        let said = await service.log.entries.count
        let lives = await service.ends.entries.count
        starts.yield(service)
        let ready = await service.log.first(from: said, within: .seconds(180)) { line in
            line.contains("waiting for jobs") || line.contains("listening")
        }
        guard let ready else {
            let end = await service.ends.first(from: lives, within: .zero) { _ in true }
            throw Failure(
                description: "the \(service.name) did not start (\(end ?? "it still runs")); it said:\n"
                    + (await service.log.entries.dropFirst(said).joined(separator: "\n")))
        }
        if service.name == "gateway" { try await address.learn(from: ready) }
    }

    /// Ends a service as the kernel does when memory is short, and starts it again.
    func killAndRestart(_ name: String) async throws {
        let service = try service(name)
        guard await service.end(with: SIGKILL) != nil else {
            throw Failure(description: "the \(name) did not run, or did not end")
        }
        try await start(service)
    }

    func service(_ name: String) throws -> ServiceProcess {
        guard let service = services.first(where: { $0.name == name }) else {
            throw Failure(description: "there is no service \(name)")
        }
        return service
    }

    /// Stops all services as an operator would.
    private func stop() async throws {
        let ends = await withTaskGroup(of: (String, String?).self, returning: [String: String].self) { group in
            for service in services { group.addTask { (service.name, await service.end(with: SIGTERM)) } }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 ?? "it did not run, or does not end" }
        }
        let wrong = ends.filter { $0.value != "exited(0)" }
        guard wrong.isEmpty else { throw Failure(description: "services did not stop in order: \(wrong)") }
    }

    private func live(_ service: ServiceProcess) async {
        let configuration = directory.appending("\(service.name).yaml")
        let port = await address.port
        await service.live(
            Self.products.appending(service.name), arguments: ["--config", configuration.string],
            environment: [
                "PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                "RETRACE_AMQP_URL": node.url, "RETRACE_SPOOL": spool.string,
                "RETRACE_REPOSITORIES": repositories.string, "RETRACE_STORE": store.string,
                "RETRACE_PLUGINS": directory.appending("plugins").string,
                "RETRACE_KEYS": directory.appending("keys").string,
                "RETRACE_DATABASE": directory.appending("gateway/tasks.sqlite").string,
                "RETRACE_HTTP_HOST": "127.0.0.1", "RETRACE_HTTP_PORT": String(port), "RETRACE_SOURCES": "program",
                "RETRACE_HTTP_INTERACTIVE": "true", "RETRACE_SWEEPINTERVAL": "1",
            ].filter { service.name == "gateway" || !$0.key.hasPrefix("RETRACE_HTTP") && $0.key != "RETRACE_DATABASE" }
                .filter { service.name == "resolver" || $0.key != "RETRACE_SOURCES" }
                .filter { service.name == "chroot-builder" || $0.key != "RETRACE_SWEEPINTERVAL" })
    }

    /// Where the build put the executables: the test bundle stands beside them.
    static let products: FilePath = {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = max(0, readlink("/proc/self/exe", &buffer, buffer.count))
        let path = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return FilePath(path).removingLastComponent()
    }()

    /// Some tests stop the broker on purpose.
    private static let quiet: Logger = {
        var logger = Logger(label: "live-tests")
        logger.logLevel = .critical
        return logger
    }()

    static let checkout = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()

    private static func temporaryDirectory() async throws -> FilePath {
        var template = Array("/tmp/retrace-live-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
        let directory = FilePath(platformString: template)
        // Debuggers without privileges pass through it.
        chmod(directory.string, 0o711)
        for name in ["spool", "store", "repositories", "plugins", "keys", "gateway", "dumps"] {
            try DebianArchive.makeDirectories(directory.appending(name))
        }
        chmod(directory.appending("spool").string, 0o711)
        let distant = distantDumps(of: directory)
        guard mkdir(distant.string, 0o711) == 0 else { throw Errno(rawValue: errno) }
        // The real distribution stands beside the made one.
        for path in ["plugins/debian.yaml", "gpg/debian"] {
            let target = path.hasPrefix("gpg") ? "keys" : "plugins"
            _ = try await runTool(["cp", "-r", checkout.appending(path).string, directory.appending(target).string])
        }
        // The same again, on first need.
        try FolderContents.write(
            """
            inherits: debian
            distribution: lazydebian
            display-name: Lazy Debian
            mirror: lazy
            versions: [{ version: '12', codename: bookworm }]
            recognise:
              release-text: ['^Lazy Debian ([0-9]+)']
              os-release: { id: [lazydebian], version: '^([0-9]+)' }
              package: ['[+]lazy([0-9]+)$']
              examples: {}

            """.utf8, to: directory.appending("plugins/lazydebian.yaml"))
        // A configuration of the host must not leak into the tests.
        for name in serviceNames {
            let dumps = "\(directory.appending("dumps")), \(distantDumps(of: directory))"
            let more = name == "gateway" ? "http: {serverdumps: '\(dumps)'}\n" : ""
            try FolderContents.write("log: {level: info}\n\(more)".utf8, to: directory.appending("\(name).yaml"))
        }
        return directory
    }
}

/// Where the gateway listens: it picks a free port at its first start, and keeps it.
actor GatewayAddress {
    private(set) var port = 0

    func learn(from line: String) throws {
        guard let colon = line.lastIndex(of: ":"),
            let number = Int(line[line.index(after: colon)...].prefix(while: \.isNumber))
        else { throw Stack.Failure(description: "the gateway does not say where it listens: \(line)") }
        port = number
    }
}
