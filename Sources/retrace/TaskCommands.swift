import ArgumentParser
import RetraceClient

struct WaitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait",
        abstract: "Follows a task live until it has ended.",
        discussion: """
            Prints how long each stage took, or, when the task failed, the reason, the advice and the end of its log.

            Example:
              retrace wait 123456789 && retrace backtrace 123456789 > backtrace.txt

            Exit statuses: 0 the task ended well, 1 it failed; 'retrace --help' lists the others.
            """)

    @OptionGroup var task: TaskOptions

    func run() async throws {
        try await reportingErrors {
            let credentials = try task.credentials()
            try await task.server.run { server in try await followLive(credentials, on: server) }
        }
    }
}

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Prints how far a task is.",
        discussion: """
            Example:
              retrace status 123456789 --server retrace.example.org

            Exit statuses: 0 the task is at work or has ended well, 1 it failed; 'retrace --help' lists the others.
            """)

    @OptionGroup var task: TaskOptions

    func run() async throws {
        try await reportingErrors {
            let credentials = try task.credentials()
            try await task.server.run { server in
                let status = try await server.status(of: credentials)
                for line in status.lines { try Console.print(printable(line)) }
                if status.state == .failure { throw ExitCode(ExitStatus.failed.rawValue) }
            }
        }
    }
}

struct BacktraceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backtrace",
        abstract: "Prints the backtrace of a task that ended well.",
        discussion: """
            On a terminal, characters that would command it are made visible; a file or a pipe gets the text as it is.

            Examples:
              retrace backtrace 123456789
              retrace backtrace 123456789 --json | jq '.threads[0].frames[].function'

            Exit statuses: 0 printed, 1 there is no backtrace (yet); 'retrace --help' lists the others.
            """)

    @Flag(help: "Threads, frames and modules as JSON instead of the debugger's text.")
    var json = false

    @OptionGroup var task: TaskOptions

    func run() async throws {
        try await reportingErrors {
            let credentials = try task.credentials()
            try await task.server.run { server in
                try await printResult(json ? "backtrace.json" : "backtrace", of: credentials, on: server)
            }
        }
    }
}

struct LogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log",
        abstract: "Prints what happened to a task, as far as it is.",
        discussion: """
            Example:
              retrace log 123456789

            Exit statuses: 0 printed, 1 there is no log; 'retrace --help' lists the others.
            """)

    @OptionGroup var task: TaskOptions

    func run() async throws {
        try await reportingErrors {
            let credentials = try task.credentials()
            try await task.server.run { server in try await printResult("log", of: credentials, on: server) }
        }
    }
}

struct ResultsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "results",
        abstract: "Lists what else there is of a task, or prints one of it.",
        discussion: """
            Of a kernel's dump these are its log and what each command of crash printed, of a program's core the rating of \
            its exploitability. A line of the list has a name, a tab and the size in bytes.

            Examples:
              retrace results 123456789
              retrace results 123456789 bt-a

            Exit statuses: 0 printed, 1 there is none (of that name, or yet); 'retrace --help' lists the others.
            """)

    @OptionGroup var task: TaskOptions

    @Argument(help: "One of the names in the list; without, the list.")
    var name: String?

    func run() async throws {
        try await reportingErrors {
            let document = try namedResults(name)
            let credentials = try task.credentials()
            try await task.server.run { server in try await printResult(document, of: credentials, on: server) }
        }
    }
}
