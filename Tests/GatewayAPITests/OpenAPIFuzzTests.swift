import CrashModel
import FoundationEssentials
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
    /// Left out, because this API does otherwise on purpose: unknown methods are answered like known ones, 405 has no
    /// Allow (upstream-facts, section 2), and headers and query parts that say nothing to us are passed over.
    private static let otherwiseOnPurpose = [
        "unsupported_method", "allow_header_conformance", "negative_data_rejection", "positive_data_acceptance",
    ]

    @Test func gatewayAnswersAsItsDocumentSays() async throws {
        let installed = try await runTool(
            [Self.checkout.appending(".ci/install-schemathesis").string],
            environment: Self.environment, limits: Self.limits)
        try #require(installed.succeeded, "\(String(decoding: installed.standardError, as: UTF8.self))")
        let program = String(decoding: installed.standardOutput, as: UTF8.self).trimming { $0.isNewline }
        var limits = GatewayLimits(maxParallelTasks: 1_000_000)
        limits.allowMetrics = true
        // Or the first request to it would take the task from all others.
        limits.allowDelete = false
        try await GatewayBench.run(.live, limits: limits) { bench, client in
            let (directory, password) = try await bench.makeTask([.started, .succeeded])
            try write("#0  main () at main.c:1\n".utf8, to: directory.backtrace)
            try write(#"{"version":1,"threads":[],"modules":[]}"#.utf8, to: directory.backtraceJSON)
            let port = try #require(client.port)
            let result = try await ScratchDirectory.with { folder in
                // The task that is there, and archives as bytes, which it cannot send by itself.
                try write(
                    """
                    import schemathesis
                    for name in ("x-xz-compressed-tar", "x-gzip", "x-tar", "zstd"):
                        schemathesis.serializer.alias("application/" + name, "application/octet-stream")

                    """.utf8, to: folder.appending("archives.py"))
                try write(
                    """
                    hooks = "archives"

                    [parameters]
                    "path.id" = "\(directory.task)"

                    """.utf8, to: folder.appending("schemathesis.toml"))
                return try await runTool(
                    [
                        program, "--config-file", folder.appending("schemathesis.toml").string, "run",
                        "http://127.0.0.1:\(port)/openapi.json", "--checks", "all", "--exclude-checks",
                        Self.otherwiseOnPurpose.joined(separator: ","), "--header", "X-Task-Password: \(password)",
                        "--phases", "examples,coverage,fuzzing", "--max-examples", "15", "--generation-deterministic",
                        "--max-redirects", "0", "--request-timeout", "20",
                        "--continue-on-failure", "--suppress-health-check", "all", "--no-color",
                    ], environment: Self.environment.merging(["PYTHONPATH": folder.string]) { $1 },
                    workingDirectory: folder,
                    limits: Self.limits)
            }
            let said = String(decoding: result.standardOutput + result.standardError, as: UTF8.self)
            #expect(result.succeeded, "\(result.termination)\n\(said.suffix(20_000))")
            #expect(said.contains("passed"))
        }
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
