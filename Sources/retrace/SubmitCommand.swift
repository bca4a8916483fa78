import ArgumentParser
import CrashModel
import Glibc
import RetraceClient
import SystemPackage

struct SubmitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit",
        abstract: "Sends a core or a problem directory to the server and prints its backtrace.",
        discussion: """
            Of a problem directory of ABRT only coredump, executable, package, os_release, rootdir and \
            os_release_in_rootdir are sent, or vmcore alone (vmcore.vmss or .vmsn with vmcore.vmem). Of a bare core the \
            program's path is read from the core, its package and the release from this machine; so run it where the \
            crash happened, or say them.

            The task's id and password are kept in $XDG_STATE_HOME/retrace/tasks (else ~/.local/state), readable by you \
            alone, so that the other commands need the id only.

            Examples:
              retrace submit core.4711 --output backtrace.txt
              retrace submit core --package bash-5.2.15-2 --release 'Debian GNU/Linux 12 (bookworm)'
              retrace submit vmcore --keep
              id=$(retrace submit /var/spool/abrt/ccpp-2026-11-23 --no-wait)

            Exit statuses: 0 the backtrace is there (with --no-wait: the server took the crash), 1 the server refused the \
            crash or the task failed; 'retrace --help' lists the others.
            """)

    @Argument(help: "A core, or a problem directory of ABRT.", completion: .file())
    var crash: String

    @Flag(inversion: .prefixedNo, help: "Follow the task and print its backtrace; without, only print its id.")
    var wait = true

    @Flag(help: "Have the server keep the dump and its root, for 'retrace interact'; it must allow that.")
    var keep = false

    @Option(help: "The crashed program's package, such as bash-5.2.15-2.")
    var package: String?

    @Option(help: "The absolute path of the crashed program.")
    var executable: String?

    @Option(help: "The release that it ran on, as /etc/os-release names it in PRETTY_NAME.")
    var release: String?

    @Option(help: "How to pack: xz, zstd, gzip or tar (default: zstd where the server takes it, else xz).")
    var format: ArchiveFormat?

    @Flag(help: "Do not print the backtrace.")
    var quiet = false

    @Option(help: ArgumentHelp("Write the backtrace to this file.", valueName: "file"), completion: .file())
    var output: String?

    @OptionGroup var server: ServerOptions

    func validate() throws {
        guard wait || (output == nil && !quiet) else {
            throw ValidationError(
                "With --no-wait there is no backtrace yet, so neither --output nor --quiet can be used.")
        }
    }

    func run() async throws {
        try await reportingErrors {
            let address = try server.address()
            try await server.run { server in
                let settings = try await server.settings()
                let credentials = try await submit(to: server, settings)
                remember(credentials, of: address)
                guard wait else { return try Console.print(credentials.task.description) }
                Console.say("Task \(credentials.task), password \(printable(credentials.password)), at \(address)")
                try await followLive(credentials, on: server)
                try await deliverBacktrace(credentials, on: server)
            }
        }
    }

    private func submit(
        to server: RetraceServer, _ settings: ServerSettings
    ) async throws(ClientError) -> TaskCredentials {
        let format = try settings.choose(format)
        var files = try await readCrash()
        if keep { files.keep() }
        for remark in files.remarks { Console.say(Console.colour(.yellow, "Note: ") + printable(remark)) }
        let byteCount = try files.byteCount()
        try settings.checkBeforePacking(byteCount: byteCount)
        let display = TransferDisplay()
        let directory = FilePath(Console.variable("TMPDIR").flatMap { $0.isEmpty ? nil : $0 } ?? "/var/tmp")
        return try await files.withPackedArchive(
            format, in: directory, progress: { display.show("Packing", $0, of: byteCount) }
        ) { archive throws(ClientError) in
            try settings.checkPacked(byteCount: archive.byteCount)
            let credentials = try await server.create(archive) { display.show("Sending", $0, of: archive.byteCount) }
            display.end("Sent \(size(archive.byteCount)) (\(size(byteCount)) unpacked, \(format.rawValue)).")
            return credentials
        }
    }

    private func readCrash() async throws(ClientError) -> CrashFiles {
        let given = GivenFacts(executable: executable, package: package, release: release)
        var status = stat()
        guard stat(crash, &status) == 0 else {
            throw ClientError(
                .unusableInput, "\(printable(crash)) cannot be read: \(Errno(rawValue: errno)).",
                advice: "Give the path of a core, or of a problem directory of ABRT.")
        }
        return status.st_mode & S_IFMT == S_IFDIR
            ? try readProblemDirectory(FilePath(crash), given: given)
            : try await readBareCore(FilePath(crash), given: given)
    }

    /// Not being able to keep the password costs the comfort of later commands, not the task.
    private func remember(_ credentials: TaskCredentials, of address: ServerAddress) {
        let problem: String
        do throws(Errno) {
            guard let store = CredentialStore(environment: Console.variable) else {
                return Console.say("The password is not kept, because HOME is not set: \(credentials.password)")
            }
            return try store.save(credentials, of: address)
        } catch {
            problem = "\(error)"
        }
        Console.say("The password is not kept (\(problem)): \(printable(credentials.password))")
    }

    private func deliverBacktrace(_ credentials: TaskCredentials, on server: RetraceServer) async throws {
        guard let output else {
            if !quiet { try await printResult("backtrace", of: credentials, on: server) }
            return
        }
        do {
            let file = try FileDescriptor.open(
                FilePath(output), .writeOnly, options: [.create, .truncate, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
            try await server.download("backtrace", of: credentials) { try file.writeAll($0) }
            try file.close()
        } catch let error as Errno {
            throw ClientError(.system, "\(printable(output)) cannot be written: \(error).")
        }
        Console.say("The backtrace is in \(printable(output)).")
    }
}

extension ArchiveFormat: ExpressibleByArgument {}
