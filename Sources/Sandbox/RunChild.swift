import Glibc
import Subprocess
import SystemPackage

/// The environment of prlimit, setpriv and bwrap themselves, and of tools that are given none.
let plainEnvironment = ["PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"]

/// Starts `arguments` in a session of its own, collects its output and waits for its end, whichever comes first of exit,
/// deadline, too much output and cancellation.
///
/// swift-subprocess spawns on its own thread and waits with epoll, so nothing here blocks the cooperative pool.
func runChild(
    _ arguments: [String], environment: [String: String], workingDirectory: FilePath?, limits: SandboxLimits,
    watch: ChildWatch? = nil
) async throws(SandboxError) -> ChildResult {
    guard let program = arguments.first, arguments.allSatisfy({ !$0.utf8.contains(0) }) else {
        throw SandboxError(.invalidCommand, "A command needs a program, and no argument may hold a NUL byte.")
    }
    let started = ContinuousClock.now
    let output = BoundedOutput(limit: limits.outputBytes)
    let errors = BoundedOutput(limit: limits.outputBytes)
    let configuration = Configuration(
        program, Array(arguments.dropFirst()), environment: environment, workingDirectory: workingDirectory)
    let (ending, timedOut) = await withTaskGroup(of: Ending?.self) { group in
        group.addTask { await spawn(configuration, output: output, errors: errors, watch: watch) }
        group.addTask {
            if let watch {
                await watch.sleep(from: started, until: started + limits.wallTime)
            } else {
                // A cancelled sleep means that the child ended first.
                try? await ContinuousClock().sleep(until: started + limits.wallTime)
            }
            return nil
        }
        var ending: Ending?
        var timedOut = false
        for await first in group {
            if let first { ending = first } else if ending == nil { timedOut = true }
            group.cancelAll()
        }
        return (ending, timedOut)
    }
    if Task.isCancelled { throw SandboxError(.cancelled, "The command was cancelled and its process is dead.") }
    let wallTime = ContinuousClock.now - started
    func result(_ termination: ChildTermination) -> ChildResult {
        ChildResult(
            termination: termination, standardOutput: output.bytes, standardError: errors.bytes, wallTime: wallTime)
    }
    if timedOut { return result(.timedOut) }
    if output.overflowed || errors.overflowed { return result(.outputLimit) }
    switch ending {
    case .ended(.exited(let status)): return result(.exited(Int(status)))
    case .ended(.signaled(let number)): return result(.signalled(Int(number)))
    case .failed(let error): throw error
    case nil: throw SandboxError(.spawnFailed, "The process \(program) was lost; try again.")
    }
}

/// What became of one start.
private enum Ending: Sendable {
    case ended(TerminationStatus)
    case failed(SandboxError)
}

extension Configuration {
    fileprivate init(
        _ program: String, _ arguments: [String], environment: [String: String], workingDirectory: FilePath?
    ) {
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [
            .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .seconds(5))
        ]
        var variables: [Environment.Key: String] = [:]
        for (name, value) in environment {
            variables[Environment.Key(stringLiteral: name)] = value
        }
        self.init(
            executable: program.contains("/") ? .path(FilePath(program)) : .name(program),
            arguments: Arguments(arguments), environment: .custom(variables), workingDirectory: workingDirectory,
            platformOptions: options)
    }
}

private func spawn(
    _ configuration: Configuration, output: BoundedOutput, errors: BoundedOutput, watch: ChildWatch?
) async -> Ending {
    do {
        let outcome = try await run(configuration, input: .none, output: .sequence, error: .sequence) { execution in
            async let standardOutput: Void = collect(
                execution.standardOutput, into: output, of: execution, watch: watch)
            async let standardError: Void = collect(execution.standardError, into: errors, of: execution)
            _ = try await (standardOutput, standardError)
            return execution.processIdentifier.value
        }
        // The session of the child dies with it. Its number was free for some microseconds only, so nobody else has it.
        _ = kill(-outcome.closureResult, SIGKILL)
        return .ended(outcome.terminationStatus)
    } catch let error as SubprocessError where error.code == .executableNotFound {
        return .failed(
            SandboxError(.programMissing, "The program \(configuration.executable) is not installed: \(error)."))
    } catch {
        return .failed(
            SandboxError(.spawnFailed, "The program \(configuration.executable) could not be started: \(error)."))
    }
}

private func collect<Input, Output, Errors>(
    _ stream: SubprocessOutputSequence, into sink: BoundedOutput, of execution: Execution<Input, Output, Errors>,
    watch: ChildWatch? = nil
) async throws {
    for try await buffer in stream {
        if let watch { buffer.withUnsafeBytes { watch.see($0) } }
        if !buffer.withUnsafeBytes({ sink.append($0) }) {
            // Read on to the end of the stream: the other stream's reader must see its end too.
            try? execution.send(signal: .kill, toProcessGroup: true)
        }
    }
}
