import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization

/// What the server has said of a task without being asked, where it can.
package final class WatchedTask: Sendable {
    private let latest = Mutex<TaskStatus?>(nil)

    package init() {}

    /// The newest status; nil while the server does not talk by itself, so that it must be asked.
    package var status: TaskStatus? { latest.withLock { $0 } }

    fileprivate func set(_ status: TaskStatus?) { latest.withLock { $0 = status } }
}

extension RetraceServer {
    /// Listens to a task until it has ended, the server falls silent or has nothing to listen to, or the caller is
    /// cancelled. Whoever follows the task asks the server then, so nothing that happens here is an error.
    package func listen(to task: TaskCredentials, into watched: WatchedTask) async {
        var lines = EventLines()
        var last: TaskStatus?
        do {
            let response = try await open("\(task.task)/events", task, accept: "text/event-stream")
            guard response.status == .ok,
                response.headers.first(name: "Content-Type")?.hasPrefix("text/event-stream") == true
            else { return }
            for try await piece in response.body {
                for status in lines.take(piece) {
                    last = status
                    watched.set(status)
                }
            }
        } catch {
            // The connection broke, or the watch is over.
        }
        // A final status stays true; any other is stale from now on.
        if last?.state == .pending { watched.set(nil) }
    }
}
