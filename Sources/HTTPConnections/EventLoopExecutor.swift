import NIOCore

/// Runs the jobs of a connection's task on the connection's own event loop, which reads and writes for it anyway: no poll
/// costs a change of thread. Blocking and long work goes to a pool of threads as everywhere.
final class EventLoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
