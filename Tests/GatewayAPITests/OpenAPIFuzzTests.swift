import CrashModel
import FoundationEssentials
import HTTPConnections
import HTTPTypes
import HummingbirdTesting
import Sandbox
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@testable import GatewayAPI

/// A running gateway is what its OpenAPI document says: schemathesis makes requests of every kind from the document, good
/// and bad, and compares the answers with it.
@Suite(.serialized) struct OpenAPIFuzzTests {
    /// What this API does otherwise on purpose, by the paths that do: any method is answered like the one that is known
    /// and the 405 of `/create` has no Allow (upstream-facts, sections 1 and 2); whether an id, a password or a package is
    /// known, no document can say; and headers and query parts that mean nothing to us are passed over.
    private static let otherwiseOnPurpose = """
        # Nothing here measures time; the machine may be busy.
        checks.max_response_time = 3600
        # HEAD goes with GET and is not described apart.
        phases.coverage.unexpected-methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"]

        [[operations]]
        include-path = ["/", "/stats", "/stats.json", "/settings"]
        checks.unsupported_method.enabled = false

        [[operations]]
        include-path = ["/metrics", "/checkpackage", "/create", "/{id}", "/{id}/backtrace", "/{id}/backtrace.json",
            "/{id}/exploitable", "/{id}/log", "/{id}/delete", "/{id}/start"]
        checks.unsupported_method.enabled = false
        checks.allow_header_conformance.enabled = false
        checks.negative_data_rejection.enabled = false
        checks.positive_data_acceptance.enabled = false

        [[operations]]
        include-path = ["/open", "/repos", "/repos/{path}", "/{id}/events", "/{id}/results", "/{id}/results/{name}",
            "/{id}/open", "/{id}/close"]
        checks.negative_data_rejection.enabled = false
        checks.positive_data_acceptance.enabled = false

        """

    @Test func gatewayAnswersAsItsDocumentSays() async throws {
        var limits = GatewayLimits(maxParallelTasks: 1_000_000)
        limits.allowMetrics = true
        // Or the first request to it would take the task from all others.
        limits.allowDelete = false
        let program = try await Self.program()
        try await GatewayBench.run(.live, limits: limits) { bench, client in
            let (directory, password) = try await bench.makeTask([.started, .succeeded])
            try write("#0  main () at main.c:1\n".utf8, to: directory.backtrace)
            try write(#"{"version":1,"threads":[],"modules":[]}"#.utf8, to: directory.backtraceJSON)
            try DebianArchive.makeDirectories(directory.results)
            try write("Exploitability rating: 3\n".utf8, to: directory.results.appending("exploitable"))
            try await Self.fuzz(with: program, client.port, directory.task, password)
        }
    }

    /// What a task, a release or an address can only do once, or only where the operator allows it.
    @Test func refusalsOfLimitsAndWhatTheOperatorAllowsAreAsTheDocumentSays() async throws {
        let program = try await Self.program()
        let clients = ClientLimiter(ClientLimits(tasksPerHour: 5, wrongPasswordsPerHour: 5))
        try await ScratchDirectory.with { repositories in
            try DebianArchive.makeDirectories(repositories.appending("debian-12-x86_64/pool"))
            let extras = GatewayBench.Extras(knowsPackage: { _ in true }, repositories: repositories)
            try await GatewayBench.run(
                .live, limits: GatewayLimits(maxParallelTasks: 1_000_000),
                connections: ConnectionLimits(headTimeout: .seconds(600)), clients: clients, extras: extras
            ) { bench, client in
                let (directory, password) = try await bench.makeTask([.started, .succeeded])
                try await Self.fuzz(
                    with: program, client.port, directory.task, password,
                    more: [
                        "--include-path-regex", "^/(create|checkpackage|repos|[{]id[}](/(delete|start|open|events))?)",
                    ],
                    // A task that is gone, and an address that has asked too much, are told so in place of 403.
                    setting: """
                        checks.ignored_auth.enabled = false
                        checks.missing_required_header.expected-statuses = [400, 403, 404, 429]

                        """)
                #expect(try await !bench.store.contains(directory.task))
                #expect(try await client.get("/\(directory.task)", password: "x").status == .tooManyRequests)
                #expect(try await client.upload().status == .tooManyRequests)
            }
        }
    }

    private static func program() async throws -> String {
        let installed = try await runTool(
            [checkout.appending(".ci/install-schemathesis").string], environment: environment, limits: limits)
        try #require(installed.succeeded, "\(String(decoding: installed.standardError, as: UTF8.self))")
        return String(decoding: installed.standardOutput, as: UTF8.self).trimming { $0.isNewline }
    }

    /// Runs schemathesis with a task that is there, and expects no fault.
    private static func fuzz(
        with program: String, _ port: Int?, _ task: TaskID, _ password: String, more: [String] = [],
        setting: String = ""
    ) async throws {
        let port = try #require(port)
        let result = try await ScratchDirectory.with { folder in
            // The task that is there, and archives as bytes, which it cannot send by itself.
            try write(
                """
                import schemathesis
                for name in ("x-xz-compressed-tar", "x-gzip", "x-tar", "zstd"):
                    schemathesis.serializer.alias("application/" + name, "application/octet-stream")

                """.utf8, to: folder.appending("archives.py"))
            let settings = """
                hooks = "archives"
                parameters = { "path.id" = "\(task)", "path.path" = "debian-12-x86_64", "path.name" = "exploitable" }

                """
            try write((settings + setting + otherwiseOnPurpose).utf8, to: folder.appending("schemathesis.toml"))
            return try await runTool(
                [
                    program, "--config-file", folder.appending("schemathesis.toml").string, "run",
                    "http://127.0.0.1:\(port)/openapi.json",
                    "--header", "X-Task-Password: \(password)",
                    "--phases", "examples,coverage,fuzzing", "--max-examples", "15", "--generation-deterministic",
                    "--max-redirects", "0", "--request-timeout", "60",
                    "--continue-on-failure", "--suppress-health-check", "all", "--no-color",
                ] + more, environment: environment.merging(["PYTHONPATH": folder.string]) { $1 },
                workingDirectory: folder, limits: limits)
        }
        let said = String(decoding: result.standardOutput + result.standardError, as: UTF8.self)
        let isFaultless = result.succeeded
        #expect(isFaultless, "\(result.termination)\n\(said.suffix(20_000))")
        #expect(said.contains("passed"))
    }

    private static let checkout = FilePath(#filePath).removingLastComponent().removingLastComponent()
        .removingLastComponent()

    private static let limits = SandboxLimits(
        cpuSeconds: 300, wallTime: .seconds(300), outputBytes: 16 << 20, processes: 4096)

    /// Registries are reached as the host says.
    private static let environment = ProcessInfo.processInfo.environment.merging(["LC_ALL": "C.UTF-8"]) { $1 }
}

extension String {
    fileprivate func trimming(_ fits: (Character) -> Bool) -> String {
        var text = self[...]
        while let last = text.last, fits(last) { text.removeLast() }
        return String(text)
    }
}
