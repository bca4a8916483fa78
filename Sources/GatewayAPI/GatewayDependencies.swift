import CrashModel
package import JobMessages
package import Logging
package import NIOPosix
package import SystemPackage
package import TaskStorage

/// Everything that the HTTP API needs, as values and closures; it knows of no broker.
package struct GatewayDependencies: Sendable {
    package let store: TaskStore
    /// What is in work right now; ``recordEvent(_:store:active:logger:)`` must be given the same one.
    package let active: ActiveTasks
    /// The directory of all tasks; it must exist.
    package let spool: FilePath
    package let limits: GatewayLimits
    package let access: AccessRule
    /// What each client address may do.
    package let clients: ClientLimiter
    /// How much waits for workers.
    package let backlog: QueueBacklog
    /// Every release that is or was to be mirrored, in any order.
    package let mirrors: @Sendable () async -> [MirroredRelease]
    /// Hands a job to ingest and yields what it replies.
    ///
    /// The stream ends after `accepted` or `refused`. It throws when the job could not be published. Where nobody serves the
    /// queue, the upload of a job that has not been picked up after ``GatewayLimits/pickupTimeout`` is gone; whoever takes
    /// the job later drops it.
    package let submit: @Sendable (IngestJob) -> AsyncThrowingStream<IngestReply, any Error>
    /// Whether somebody takes jobs from ingest's queue; false while that is not known.
    package let isIngestServed: @Sendable () async -> Bool
    /// Whether a mirror has a package, or cannot say so because its last synchronisation failed.
    package let knowsPackage: @Sendable (PackageQuestion) async throws -> Bool
    /// The directory of all mirrors where everybody may read them at `/repos`; nil where not.
    package let repositories: FilePath?
    /// What was answered last.
    package let ready = ReadyAnswers()
    /// Whether a client may name dumps on the server: by default one on this machine. It is given nil for a request that a
    /// proxy passed on without saying for whom so that it can be believed.
    package let isOperator: @Sendable (ClientAddress?) -> Bool
    package let clock: any Clock<Duration>
    /// Microseconds since the epoch of Unix.
    package let now: @Sendable () -> Int64
    /// How many bytes can still be written to the spool; blocking.
    package let freeBytes: @Sendable (FilePath) throws -> UInt64
    /// Where blocking file work runs.
    package let threadPool: NIOThreadPool
    package let logger: Logger

    package init(
        store: TaskStore, active: ActiveTasks, spool: FilePath, limits: GatewayLimits = GatewayLimits(),
        access: AccessRule = AccessRule(), clients: ClientLimiter = ClientLimiter(),
        backlog: QueueBacklog = QueueBacklog(), mirrors: @escaping @Sendable () async -> [MirroredRelease],
        submit: @escaping @Sendable (IngestJob) -> AsyncThrowingStream<IngestReply, any Error>,
        isIngestServed: @escaping @Sendable () async -> Bool = { false },
        knowsPackage: @escaping @Sendable (PackageQuestion) async throws -> Bool = { _ in false },
        repositories: FilePath? = nil,
        isOperator: @escaping @Sendable (ClientAddress?) -> Bool = { $0?.isLoopback == true },
        clock: any Clock<Duration> = ContinuousClock(), now: @escaping @Sendable () -> Int64 = wallClockMicroseconds,
        freeBytes: @escaping @Sendable (FilePath) throws -> UInt64 = { try availableBytes(at: $0) },
        threadPool: NIOThreadPool = .singleton, logger: Logger
    ) {
        self.store = store
        self.active = active
        self.spool = spool
        self.limits = limits
        self.access = access
        self.clients = clients
        self.backlog = backlog
        self.mirrors = mirrors
        self.submit = submit
        self.isIngestServed = isIngestServed
        self.knowsPackage = knowsPackage
        self.repositories = repositories
        self.isOperator = isOperator
        self.clock = clock
        self.now = now
        self.freeBytes = freeBytes
        self.threadPool = threadPool
        self.logger = logger
    }

    /// Runs blocking file work on the thread pool, to its end even when the caller is cancelled.
    func onDisk<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await threadPool.runToEnd(work)
    }
}

extension NIOThreadPool {
    /// Like `runIfActive`, but deaf to cancellation, so that files are closed and removed all the same.
    func runToEnd<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            submit { state in
                guard case .active = state else { return continuation.resume(throwing: CancellationError()) }
                continuation.resume(with: Result(catching: work))
            }
        }
    }
}
