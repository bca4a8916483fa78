import ServiceLifecycle

/// Something small that a service does again and again beside its jobs, until it is told to stop.
package struct RegularWork: Sendable {
    private let pause: Duration
    private let work: @Sendable () async -> Void

    /// - Parameters:
    ///   - pause: How long it rests before each time, the first as well.
    ///   - work: Tells its own failures to the log.
    package init(every pause: Duration, _ work: @escaping @Sendable () async -> Void) {
        self.pause = pause
        self.work = work
    }

    func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do { try await Task.sleep(for: pause) } catch { return }
                await work()
            }
        }
    }
}

/// ``RegularWork`` in the group of a service.
struct RegularService: Service {
    let work: RegularWork

    func run() async throws { await work.run() }
}
