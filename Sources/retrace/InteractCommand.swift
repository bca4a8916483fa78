import ArgumentParser
import CrashModel
import Glibc
import JobMessages
import NIOPosix
import RetraceClient
import RetraceStage
import Sandbox
import ServiceRuntime
import SystemPackage
import TaskStorage

struct InteractCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "interact",
        abstract: "Opens a kept task in its debugger, with everything loaded.",
        discussion: """
            For operators, on a host that sees the spool and the store, as root or as the services' user. A task is kept when \
            it is sent with 'retrace submit --keep' (X-Task-Type 3, or 4 for a kernel's dump; 1 as well), until it is deleted \
            or its time is over.

            gdb and crash run in the same sandbox as in the service: without network, in the root of the crash, under a user \
            without rights. 'shell' has this host's programs, read-only, and the root of the crash at /crash-root. What stands \
            after -- goes to the program.

            Examples:
              retrace interact 123456789
              retrace interact 123456789 crash -- --zero_excluded
              echo bt | retrace interact 123456789 gdb

            Exit statuses: that of the program once it runs; before that, 'retrace --help' lists them.
            """)

    @Argument(help: "The task's id.")
    var id: String

    @Argument(help: "gdb, crash or shell (default: crash for a kernel's dump, else gdb).")
    var program: InteractiveProgram?

    @Argument(parsing: .postTerminator, help: ArgumentHelp("Further arguments of the program.", visibility: .hidden))
    var arguments: [String] = []

    @Option(
        help: ArgumentHelp(
            "The directory of all tasks (RETRACE_SPOOL; default: /var/spool/retrace).", valueName: "folder"))
    var spool: String?

    @Option(
        help: ArgumentHelp(
            "A file with the same keys as the services' (default: /etc/retrace/retrace.yaml, if it is there).",
            valueName: "file"))
    var config: String?

    @Option(
        help: ArgumentHelp(
            "The address space of the program (default: 4096, for kernels' dumps 8192).", valueName: "MiB"))
    var memory: Int?

    @Flag(help: "Print the job that has the chroot-builder build the task's root again.")
    var printBuildJob = false

    func validate() throws {
        guard memory.map({ (64...(1 << 20)).contains($0) }) ?? true else {
            throw ValidationError("--memory is a number of MiB from 64 to \(1 << 20).")
        }
    }

    func run() async throws {
        try await reportingErrors {
            let directory = TaskDirectory(try taskID(), in: try await spoolFolder())
            let (job, user) = try await onThread { try keptJob(of: directory) }
            if printBuildJob {
                let job = BuildJob(task: job.taskID, crash: job.crash, resolution: job.resolution)
                return try Console.result(try JobCoding.encode(job, pretty: true) + [UInt8(ascii: "\n")])
            }
            let isAttended = isatty(0) == 1 && isatty(1) == 1
            let session: InteractiveSession
            do throws(InteractiveRefusal) {
                session = try await InteractiveSession.prepared(
                    program ?? .usual(for: job.crash.kind), arguments: arguments, for: job.crash, job.resolution,
                    in: job.chroot, directory: directory,
                    terminal: isAttended ? Console.variable("TERM") ?? "dumb" : nil,
                    memoryBytes: memory.map { UInt64($0) << 20 }, user: user)
            } catch {
                throw ClientError(error)
            }
            if isAttended { for remark in session.remarks { Console.say(printable(remark)) } }
            do throws(SandboxError) {
                if let problem = await sandboxProblem(for: user) { throw problem }
                try await TerminalProcess(session.command, limits: session.limits, onTerminal: isAttended)
                    .replaceThisProcess()
            } catch {
                throw ClientError(.system, error.description)
            }
        }
    }

    private func taskID() throws(ClientError) -> TaskID {
        do {
            return try TaskID(id)
        } catch {
            throw ClientError(.usage, "\(error).")
        }
    }

    private func spoolFolder() async throws(ConfigurationRefusal) -> FilePath {
        let key = ConfigurationKey.spool
        let configuration = try await ServiceConfiguration(
            name: "retrace", keys: BrokerOptions.keysOfTheFile, options: spool.map { [key: $0] } ?? [:],
            environment: Console.variable(key.variable).map { [key.variable: $0] } ?? [:],
            file: config.map { FilePath($0) })
        return try configuration.path(key)
    }
}

extension InteractiveProgram: ExpressibleByArgument {}

/// The job of a kept task, and as whom the services ran its debugger. Blocking.
private func keptJob(of directory: TaskDirectory) throws(ClientError) -> (RetraceJob, SandboxUser) {
    let task = directory.task
    var facts = stat()
    guard stat(directory.path.string, &facts) == 0 else {
        guard errno == ENOENT else { throw ClientError.notPermitted }
        throw ClientError(
            .refused, "There is no task \(task) in \(directory.path.removingLastComponent()).",
            advice: "A task goes some time after its end (tasks.deleteafter of the gateway). "
                + "Name another directory of tasks with --spool.")
    }
    let (isKept, body) = try mark(of: directory)
    guard isKept else {
        throw ClientError(
            .refused, "Task \(task) was not kept: its dump and its root go when it ends.",
            advice: "Send the dump again with 'retrace submit --keep' (X-Task-Type 3, or 4 for a kernel's dump).")
    }
    guard let body else {
        throw ClientError(
            .refused, "Task \(task) has no root: it is not so far yet, or it failed before one was built.",
            advice: "'retrace status \(task)' says how far it is; the file retrace-log of the task why it failed.")
    }
    do throws(UndecodableMessage) {
        let job = try JobCoding.decode(RetraceJob.self, from: body)
        guard job.taskID == task else { throw UndecodableMessage(reason: "it is the job of task \(job.taskID)") }
        // The services run debuggers as themselves, and only those of root as nobody.
        let owner = SandboxUser(userID: facts.st_uid, groupID: facts.st_gid)
        return (job, facts.st_uid == 0 ? .nobody : owner)
    } catch {
        throw ClientError(
            .unusableInput, "The job of task \(task) cannot be read: \(error.reason).",
            advice: "Another version of the services may have written it; send the dump again with 'submit --keep'.")
    }
}

/// Whether a task is kept, and its job as it is written there.
private func mark(of directory: TaskDirectory) throws(ClientError) -> (Bool, [UInt8]?) {
    do throws(Errno) {
        return (try directory.isKept(), try directory.keptRetraceJob(upTo: JobCoding.maximumBytes))
    } catch {
        throw ClientError.notPermitted
    }
}

extension ClientError {
    init(_ refusal: InteractiveRefusal) {
        let kind: Kind =
            switch refusal.kind {
            case .wrongProgram: .usage
            case .gone: .refused
            case .notPermitted: .denied
            case .system: .system
            }
        self.init(kind, refusal.reason, advice: refusal.advice)
    }

    fileprivate static var notPermitted: ClientError { ClientError(InteractiveRefusal.notPermitted) }
}

private func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await NIOThreadPool.singleton.runIfActive(work)
}
