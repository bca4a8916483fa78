import ArgumentParser
import Glibc
import RetraceClient
import ServiceRuntime

/// `retrace`: sends crashes, shows what became of them, and keeps the mirrors.
@main
struct RetraceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retrace",
        abstract: "Sends a crash to a retrace server, shows its backtrace, and keeps the server's mirrors.",
        discussion: """
            Examples:
              retrace submit core.4711            a bare core, where it crashed
              retrace submit /var/spool/abrt/X    a problem directory of ABRT
              retrace sync debian 12 x86_64       mirror a release (needs the broker)
              retrace releases                    which releases can be retraced, and how fresh they are
              retrace interact 123456789          open a kept task in its debugger (on the server)
              retrace queues --check              is everything at work? (needs the broker)
              retrace plugin check fedora         are its plugin, keys and mirrors fit for use?

            Results go to standard output, everything else to standard error.

            Exit statuses:
            \(ExitStatus.table)
            """,
        version: retraceVersion,
        subcommands: [
            SubmitCommand.self, WaitCommand.self, StatusCommand.self, BacktraceCommand.self, LogCommand.self,
            ResultsCommand.self, InteractCommand.self, ReleasesCommand.self, SyncCommand.self, QueuesCommand.self,
            PluginCommand.self,
        ])

    static func main() async {
        // A reader that has gone, such as `head`, is told by write(2).
        signal(SIGPIPE, SIG_IGN)
        await main(nil)
    }
}
