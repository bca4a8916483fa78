import Glibc
import Logging

/// The life of one connection: connect, serve, lose it, connect again. Everything in it runs on its own thread.
final class ConnectionLoop {
    /// What this connection is for; consumers must not suffer when the broker holds up publishers.
    enum Role: String { case publishing, consuming }

    static let closed = MessageQueueError(.closed, "the connection to the broker was closed by this process")
    static let controlChannel: UInt16 = 1
    static let publishChannel: UInt16 = 2
    static let replyChannel: UInt16 = 3
    static let firstConsumerChannel: UInt16 = 10

    let role: Role
    let address: BrokerAddress
    let mailbox: Mailbox
    let epoch = ConnectionEpoch()
    let logger: Logger
    private let topology: Topology
    private let name: String

    private(set) var connection: AMQPConnection?
    private(set) var lastFailure: MessageQueueError?
    private var failedAttempts = 0
    private var nextAttempt = ContinuousClock.now
    private var timers: [(deadline: ContinuousClock.Instant, action: () -> Void)] = []
    private var connectWaiters: [ConnectionWait] = []
    private(set) var isStopping = false
    private var hasStopped = false
    private var stopAnswers: [Mailbox.Answer<Void>] = []

    var publishing = PublishingState()
    var consuming = ConsumingState()

    init(
        _ role: Role, _ address: BrokerAddress, topology: Topology, name: String, mailbox: Mailbox, logger: Logger
    ) {
        self.role = role
        self.address = address
        self.topology = topology
        self.name = "\(name) \(role.rawValue)"
        self.mailbox = mailbox
        self.logger = logger
    }

    /// Runs until it was stopped.
    func run() {
        while !hasStopped {
            if connection == nil, !isStopping, ContinuousClock.now >= nextAttempt { connect() }
            readFrames()
            fireTimers()
            if isStopping, publishing.pending.isEmpty { break }
            wait()
            for command in mailbox.take() { command(self) }
        }
        isStopping = true
        hasStopped = true
        endConsumers()
        if let failure = connection?.close() { logger.debug("the broker was left in disorder: \(failure)") }
        lose(Self.closed, silently: true)
        failPublications(Self.closed)
        for command in mailbox.shut() { command(self) }
        for waiter in connectWaiters { waiter.resolve(.failure(Self.closed)) }
        for answer in stopAnswers { answer(.success(())) }
    }

    /// Ends the thread: outstanding confirms are waited for until `limit`, deliveries nobody took go back.
    func stop(within limit: Duration, _ answer: @escaping Mailbox.Answer<Void>) {
        guard !hasStopped else { return answer(.success(())) }
        isStopping = true
        stopAnswers.append(answer)
        schedule(at: .now + limit) { [self] in hasStopped = true }
    }

    /// Answers when there is a connection, when trying again is of no use, or at the deadline.
    func waitUntilConnected(deadline: ContinuousClock.Instant, _ answer: @escaping Mailbox.Answer<Void>) {
        guard !isStopping else { return answer(.failure(Self.closed)) }
        guard connection == nil else { return answer(.success(())) }
        if let lastFailure, !lastFailure.isTransient { return answer(.failure(lastFailure)) }
        let waiter = ConnectionWait(answer)
        connectWaiters.append(waiter)
        schedule(at: deadline) { [self] in
            waiter.resolve(.failure(lastFailure ?? MessageQueueError(.unreachable, "no connection to \(address) yet")))
        }
    }

    // MARK: Time

    /// Calls `action` on this thread at `deadline`, or soon after.
    func schedule(at deadline: ContinuousClock.Instant, _ action: @escaping () -> Void) {
        let place = timers.lastIndex { $0.deadline <= deadline }.map { $0 + 1 } ?? 0
        timers.insert((deadline, action), at: place)
    }

    private func fireTimers() {
        let now = ContinuousClock.now
        let due = timers.prefix { $0.deadline <= now }
        timers.removeFirst(due.count)
        for timer in due { timer.action() }
    }

    /// Sleeps until the broker sends, a task asks, a timer is due or heartbeats need looking after.
    private func wait() {
        var until = ContinuousClock.now + .seconds(1)
        if let first = timers.first { until = min(until, first.deadline) }
        if connection == nil, !isStopping { until = min(until, nextAttempt) }
        let milliseconds = Int32(clamping: Int(((until - .now) / .milliseconds(1)).rounded(.up)))
        var descriptors = [pollfd(fd: mailbox.descriptor, events: Int16(POLLIN), revents: 0)]
        if let connection { descriptors.append(pollfd(fd: connection.descriptor, events: Int16(POLLIN), revents: 0)) }
        // Whatever it answers, an interruption too, the loop goes round and looks.
        _ = poll(&descriptors, nfds_t(descriptors.count), max(0, milliseconds))
    }

    // MARK: Connecting

    private func connect() {
        do throws(MessageQueueError) {
            let fresh = try AMQPConnection(address, name: name)
            try fresh.openChannel(Self.controlChannel)
            try fresh.declare(topology, on: Self.controlChannel)
            if role == .publishing {
                try fresh.openChannel(Self.publishChannel)
                try fresh.selectConfirms(on: Self.publishChannel)
            }
            connection = fresh
            logger.log(level: failedAttempts > 0 ? .notice : .debug, "connected to the broker", metadata: metadata)
            (failedAttempts, lastFailure) = (0, nil)
            for waiter in connectWaiters { waiter.resolve(.success(())) }
            connectWaiters = []
            resumeConsumers()
            resumePublications()
        } catch {
            lose(error)
            guard !error.isTransient else { return }
            for waiter in connectWaiters { waiter.resolve(.failure(error)) }
            connectWaiters = []
        }
    }

    /// Drops the connection, if there is one, and plans the next: the delay doubles from 0.1 to 5 s, half of it by chance,
    /// so that the services do not all come back at the same moment.
    func lose(_ failure: MessageQueueError, silently: Bool = false) {
        if !silently, failedAttempts < 3 || failedAttempts % 20 == 0 {
            logger.warning("no connection to the broker: \(failure.message)", metadata: metadata)
        }
        connection = nil
        lastFailure = failure
        epoch.advance()
        let delay = min(5, 0.1 * Double(1 << min(failedAttempts, 10)))
        nextAttempt = .now + .seconds(delay * Double.random(in: 0.5...1))
        failedAttempts += 1
        publishing.connectionLost()
        consumersLost(failure)
    }

    private var metadata: Logger.Metadata { ["broker": "\(address)", "connection": "\(role.rawValue)"] }
}

/// An answer that is given once: by the connection or by the clock. Used on the connection's thread only.
private final class ConnectionWait {
    private var answer: Mailbox.Answer<Void>?
    init(_ answer: @escaping Mailbox.Answer<Void>) { self.answer = answer }

    func resolve(_ result: Result<Void, MessageQueueError>) {
        answer?(result)
        answer = nil
    }
}
