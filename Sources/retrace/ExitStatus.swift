import ArgumentParser
import MessageQueue
import RetraceClient
import ServiceRuntime

/// How the command ends; the numbers above 1 are those of sysexits.h.
enum ExitStatus: Int32, CaseIterable {
    case done = 0
    case failed = 1
    case usage = 64
    case unusableInput = 65
    case unavailable = 69
    case system = 74
    case denied = 77

    private var meaning: String {
        switch self {
        case .done: "done"
        case .failed: "the task or the synchronisation failed, or the crash was refused"
        case .usage: "the command line is not understood, or a setting is wrong"
        case .unusableInput: "the file is no dump, or a fact that goes with it is missing"
        case .unavailable: "the server or the broker does not answer, or is busy"
        case .system: "this machine's disk or one of its programs failed"
        case .denied: "the password is missing or wrong, or a file is not readable"
        }
    }

    /// The table for `--help`.
    static let table = allCases.map { "  \($0.rawValue < 10 ? " " : "")\($0.rawValue)  \($0.meaning)" }
        .joined(separator: "\n")

    init(_ error: ClientError) {
        self =
            switch error.kind {
            case .refused: .failed
            case .usage: .usage
            case .unusableInput: .unusableInput
            case .unavailable: .unavailable
            case .system: .system
            case .denied: .denied
            }
    }
}

/// Runs a command's work and ends with the status that its error stands for, after a sentence on standard error.
func reportingErrors(_ work: () async throws -> Void) async throws {
    do {
        try await work()
    } catch let error as ExitCode {
        throw error
    } catch let error as ClientError {
        Console.complain(error.reason, error.advice)
        throw ExitCode(ExitStatus(error).rawValue)
    } catch let error as ConfigurationRefusal {
        Console.complain(error.description, nil)
        throw ExitCode(ExitStatus.usage.rawValue)
    } catch let error as MessageQueueError {
        let status: ExitStatus = error.code == .invalidAddress ? .usage : .unavailable
        Console.complain("The broker cannot be used: \(error.message)", brokerAdvice(error.code))
        throw ExitCode(status.rawValue)
    }
}

private func brokerAdvice(_ code: MessageQueueError.Code) -> String? {
    switch code {
    case .unreachable, .timedOut, .connectionLost, .invalidAddress:
        "Check that RabbitMQ runs, and name it with --amqp-url or RETRACE_AMQP_URL."
    case .accessRefused: "Check the user, the password and the virtual host in --amqp-url or RETRACE_AMQP_URL."
    case .notFound: "Start the services once: they declare the queues."
    default: nil
    }
}
