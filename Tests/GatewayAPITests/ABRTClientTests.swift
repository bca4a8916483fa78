import CrashModel
import HTTPTypes
import HummingbirdTesting
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@testable import GatewayAPI

/// ABRT's client, to the letter, against the gateway over a socket; and one by one what would break it.
@Suite struct ABRTClientTests {
    private static let crash = ABRTClient.Crash(
        archive: [1, 2, 3], unpackedBytes: 3, releaseID: "rhel-8.4-x86_64", package: "bash-4.4.20-4.el8_6")

    /// A gateway that serves RHEL 8 and knows bash.
    private func withGateway(
        limits: GatewayLimits = GatewayLimits(),
        _ body: @escaping @Sendable (GatewayBench, ABRTClient) async throws -> Void
    ) async throws {
        var extras = GatewayBench.Extras()
        extras.knowsPackage = { $0.package.hasPrefix("bash-") }
        try await GatewayBench.run(.live, limits: limits, releases: ["rhel-8-x86_64"], extras: extras) {
            bench, client in
            try await body(bench, ABRTClient(port: try #require(client.port)))
        }
    }

    private func tell(
        _ bench: GatewayBench, _ ticket: ABRTClient.Ticket, _ stage: Stage, _ kind: TaskEvent.Kind, _ time: Int64,
        error: StageError? = nil
    ) async throws {
        try await recordEvent(
            TaskEvent(
                task: try TaskID(ticket.id), stage: stage, kind: kind, microseconds: time, message: "something",
                error: error), store: bench.store, active: bench.active, logger: bench.dependencies.logger)
    }

    @Test func batchPrintsWhatChangesAndEndsWithBacktraceAndRating() async throws {
        try await withGateway { bench, client in
            var looks: Int64 = 0
            let outcome = try await client.batch(Self.crash) {
                looks += 1
                let id = try #require(try TaskDirectory.tasks(in: bench.spool).first)
                let ticket = ABRTClient.Ticket(id: id.description, password: "")
                switch looks {
                case 1, 2: return
                case 3: try await tell(bench, ticket, .build, .started, looks)
                default:
                    let directory = TaskDirectory(id, in: bench.spool)
                    try write("#0 main ()\n".utf8, to: directory.backtrace)
                    try DebianArchive.makeDirectories(directory.results)
                    try write(
                        "Written: to 0x0\nExploitability rating: 5\n".utf8,
                        to: directory.results.appending("exploitable"))
                    try await tell(bench, ticket, .retrace, .succeeded, looks)
                }
            }
            #expect(looks == 4 && outcome.status == "FINISHED_SUCCESS")
            // The second look said what the first had said.
            #expect(outcome.printed.count == 3)
            #expect(outcome.backtrace == "#0 main ()\n")
            #expect(ABRTClient.rating(of: try #require(outcome.exploitable)) == 5)
        }
    }

    @Test func batchOfAFailureEndsWithTheLog() async throws {
        try await withGateway { bench, client in
            let ticket = try await client.create(Self.crash)
            let error = StageError(.resolve, StageError.Code("unknown-release"), "Which release is that?")
            let outcome = try await client.follow(ticket) {
                try await tell(bench, ticket, .resolve, .failed, 1, error: error)
            }
            #expect(outcome.status == "FINISHED_FAILURE" && outcome.log?.contains("Which release is that?") == true)
        }
    }

    @Test func taskWithoutRatingIsNoErrorForTheClient() async throws {
        try await withGateway { bench, client in
            let ticket = try await client.create(Self.crash)
            #expect(try await client.exploitable(ticket) == nil)
        }
    }

    @Test func everyStatusBetweenCreateAndResultsIsOneThatTheClientTakes() async throws {
        try await withGateway { bench, client in
            let ticket = try await client.create(Self.crash)
            var time: Int64 = 0
            for stage in Stage.allCases where stage != .reposync {
                for kind in [TaskEvent.Kind.started, .progress, .retrying, .succeeded] {
                    if stage == .retrace, kind == .succeeded { continue }
                    time += 1
                    try await tell(bench, ticket, stage, kind, time)
                    let answer = try await client.status(ticket)
                    #expect(answer.status == "PENDING" && !answer.text.isEmpty)
                }
            }
        }
    }

    @Test func statusIsPrintedInTheLanguageOfTheClientsLocale() async throws {
        try await withGateway { _, client in
            var client = client
            client.languages = "de-DE, de;q=0.9, en;q=0.8"
            let ticket = try await client.create(Self.crash)
            #expect(try await client.status(ticket).text.hasPrefix("Wartet: "))
        }
    }

    @Test func settingsAreReadWholeByTheClientsParser() async throws {
        try await withGateway(limits: GatewayLimits(maxParallelTasks: 7, maxPackedMebibytes: 5)) { _, client in
            let settings = try await client.settings()
            #expect(settings.runningTasks == 0 && settings.maxRunningTasks == 7)
            #expect(settings.maxPackedSize == 5 && settings.maxUnpackedSize == 8192)
            #expect(settings.formats.first == "application/x-xz-compressed-tar" && settings.formats.count <= 16)
            #expect(settings.releases.count <= 32 && settings.releases.contains("rhel-8.4-x86_64"))
            #expect(
                (settings.formats + settings.releases).allSatisfy { name in
                    !name.isEmpty && !name.contains { $0.isWhitespace }
                })
        }
    }

    @Test func clientRefusesByItselfWhatTheServerWouldRefuse() async throws {
        let crash = Self.crash
        func refusal(_ limits: GatewayLimits, _ crash: ABRTClient.Crash) async throws -> String {
            let (said, report) = AsyncStream.makeStream(of: String.self)
            try await withGateway(limits: limits) { _, client in
                let failure = try await #require(throws: ABRTClient.Failure.self) {
                    try await client.batch(crash) {}
                }
                report.yield(failure.description)
            }
            return await said.first { _ in true } ?? ""
        }
        #expect(try await refusal(GatewayLimits(maxParallelTasks: 0), crash).contains("occupied"))
        #expect(try await refusal(GatewayLimits(maxPackedMebibytes: 0), crash).contains("archive is too large"))
        #expect(try await refusal(GatewayLimits(maxUnpackedMebibytes: 0), crash).contains("crash is too large"))
        #expect(try await refusal(GatewayLimits(formats: ["application/x-gzip"]), crash).contains("xz"))
        let other = ABRTClient.Crash(
            archive: [1], unpackedBytes: 1, releaseID: "rhel-9.4-x86_64", package: crash.package)
        #expect(try await refusal(GatewayLimits(), other).contains("rhel-9.4-x86_64"))
        let unknown = ABRTClient.Crash(
            archive: [1], unpackedBytes: 1, releaseID: crash.releaseID, package: "zsh-5.8-1.el8")
        #expect(try await refusal(GatewayLimits(), unknown).contains("zsh"))
    }

    /// libsoup follows a redirect that says where to, and the client would see the last status.
    @Test func knownPackageIs302WithoutLocationAndBothAnswersAreEmpty() async throws {
        try await withGateway { _, client in
            for (package, status) in [("bash-5.2-1.fc40", 302), ("zsh-5.9-1.fc40", 404)] {
                let reply = try await client.ask(
                    "/checkpackage", [("X-Package-NVR", package), ("X-Package-Arch", "x86_64")])
                #expect(reply.status == status && reply.header("Location") == nil && reply.body.isEmpty)
            }
        }
    }

    @Test func createIs201WithBothHeadersAndLeadsNowhereElse() async throws {
        try await withGateway { _, client in
            let ticket = try await client.create(Self.crash)
            #expect(!ticket.id.isEmpty && !ticket.password.isEmpty)
            // No cookie, no other header and no User-Agent is needed for what follows.
            #expect(try await client.status(ticket).status == "PENDING")
            let stranger = ABRTClient.Ticket(id: ticket.id, password: "wrong")
            await #expect(throws: ABRTClient.Failure.self) { try await client.status(stranger) }
        }
    }

    @Test func serverAnswersBeforeTheClientHangsUp() {
        #expect(GatewayLimits().verdictTimeout < .seconds(60) && GatewayLimits().pickupTimeout < .seconds(60))
    }

    @Test func thirtyThirdReleaseSpoilsTheLastSlotOfTheClient() throws {
        // Why `/settings` never lists more: the client's own parser, given 33.
        let names = (1...33).map { "fedora-\($0)-x86_64" }
        let body = Array("supported_releases \(names.joined(separator: " "))".utf8)
        let settings = try ABRTSettings(ABRTConnection.Reply(status: 200, headers: [], body: body))
        #expect(settings.releases.count == 32 && settings.releases.last == "fedora-32-x86_64 fedora-33-x86_64")
    }

    @Test(arguments: [("a: 1\nrating: 6\n", 6), ("rating: 4\ninsn: mov %rax", 0), ("nothing", nil)])
    func ratingIsTheNumberAfterTheLastColon(text: String, rating: Int?) {
        #expect(ABRTClient.rating(of: text) == rating)
    }
}
