import CrashModel
import NIOPosix
import SystemPackage

/// Runs `body` on the thread pool for blocking work.
///
/// - Parameter doing: What it does, for the sentence of an error: `building the crash root`.
/// - Throws: What `body` throws; `interrupted` when the process is stopping.
func blocking<Value: Sendable>(
    _ doing: String, _ body: @escaping @Sendable () throws(BlockingError) -> Value
) async throws(StageError) -> Value {
    let result: Result<Value, BlockingError>
    do {
        result = try await NIOThreadPool.singleton.runIfActive {
            do throws(BlockingError) { return .success(try body()) } catch { return .failure(error) }
        }
    } catch {
        throw StageError(
            .build, .interrupted, "The service was stopped while \(doing).",
            advice: "The task goes on when the service is back.", disposition: .retry(after: .seconds(5)))
    }
    switch result {
    case .success(let value): return value
    case .failure(.system(let errno)): throw .system(errno, doing: doing)
    case .failure(.stage(let error)): throw error
    }
}

/// What blocking work fails with: a system call, whose sentence is made in one place, or a finished answer.
enum BlockingError: Error {
    case system(Errno)
    case stage(StageError)
}

/// Gives the errors of system calls the form that ``blocking(_:_:)`` takes.
func system<Value>(_ body: () throws(Errno) -> Value) throws(BlockingError) -> Value {
    do throws(Errno) { return try body() } catch { throw .system(error) }
}

/// As ``blocking(_:_:)`` for work that is system calls only.
func blockingCalls<Value: Sendable>(
    _ doing: String, _ body: @escaping @Sendable () throws(Errno) -> Value
) async throws(StageError) -> Value {
    try await blocking(doing) { () throws(BlockingError) in try system(body) }
}
