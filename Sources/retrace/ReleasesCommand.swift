import ArgumentParser
import RetraceClient

struct ReleasesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "releases",
        abstract: "Lists the releases of the server: packages, age and what went wrong, one a line.",
        discussion: """
            Examples:
              retrace releases
              retrace releases --names                 only those that can be retraced, for scripts
              retrace releases --check --hours 48      for monitoring

            Exit statuses: 0 listed, 1 --check found a release that is old or failed; 'retrace --help' lists the others.
            """)

    @Flag(help: "Print nothing but the ids of the releases that can be retraced.")
    var names = false

    @Flag(help: "Fail when a synchronisation failed, or is longer ago than --hours.")
    var check = false

    @Option(help: ArgumentHelp("How old a release may be for --check.", valueName: "n"))
    var hours = 48

    @OptionGroup var server: ServerOptions

    func validate() throws {
        guard hours > 0, hours < 1 << 32 else { throw ValidationError("--hours needs a number above 0.") }
    }

    func run() async throws {
        try await reportingErrors {
            try await server.run { server in
                let releases = try await server.releases()
                if names {
                    for release in releases where release.isServed { try Console.print(printable(release.release)) }
                } else {
                    for line in Self.table(releases) { try Console.print(line) }
                    if releases.isEmpty { Console.say("No release is mirrored yet: see 'retrace sync --help'.") }
                }
                let troubled = releases.filter {
                    $0.failure != nil || !$0.isServed || ($0.ageSeconds ?? .max) > Int64(hours) * 3600
                }
                if check, !troubled.isEmpty { throw ExitCode(ExitStatus.failed.rawValue) }
            }
        }
    }

    private static func table(_ releases: [ReleaseState]) -> [String] {
        guard !releases.isEmpty else { return [] }
        let rows =
            [["release", "packages", "synchronised", "state"]]
            + releases.map { [$0.release, String($0.packageCount), $0.age, state(of: $0)].map(printable) }
        let widths = (0..<3).map { column in (rows.map { $0[column].count }.max() ?? 0) + 2 }
        return rows.map { row in
            zip(row, widths).map { text, width in text + String(repeating: " ", count: width - text.count) }.joined()
                + row[3]
        }
    }

    private static func state(of release: ReleaseState) -> String {
        if let running = release.running { return "at work: \(running)" }
        if let failure = release.failure { return "failed: \(failure)" }
        return release.isServed ? "ready" : "no index yet"
    }
}
