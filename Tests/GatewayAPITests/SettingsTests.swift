import CrashModel
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import GatewayAPI

@Suite struct SettingsTests {
    @Test func sixLinesInOrderWithoutAFinalNewline() async throws {
        let limits = GatewayLimits(maxParallelTasks: 5, maxPackedMebibytes: 50, maxUnpackedMebibytes: 1024)
        try await GatewayBench.run(limits: limits, releases: ["fedora-40-x86_64", "debian-12-x86_64"]) { _, client in
            let response = try await client.get("/settings")
            #expect(response.status == .ok && response.isWellFormed())
            #expect(
                response.text == """
                    running_tasks 0
                    max_running_tasks 5
                    max_packed_size 50
                    max_unpacked_size 1024
                    supported_formats \(limits.formats.joined(separator: " "))
                    supported_releases debian-12-x86_64 fedora-40-x86_64 fedora-40-i386
                    """)
            #expect(!response.text.utf8.contains { $0 == 13 || $0 == 9 })
            #expect(limits.formats.first == "application/x-xz-compressed-tar" && limits.formats.count <= 16)
        }
    }

    @Test func runningTasksAreReal() async throws {
        try await GatewayBench.run { _, client in
            _ = try await client.upload()
            #expect(try await client.get("/settings").text.hasPrefix("running_tasks 1\n"))
        }
    }

    @Test func noReleaseStillHasItsLine() {
        let text = SettingsRoute.text(running: 0, limits: GatewayLimits(), releases: [])
        #expect(text.hasSuffix("\nsupported_releases "))
    }

    @Test(arguments: [
        ("/", true), ("/settings", true), ("/settings/", false), ("//settings", false), ("/123", true),
        ("/123/", true), ("/123//", false), ("/123/log", true), ("/123/log/", false), ("/create/", false),
        ("/abc/", false),
    ])
    func finalSlashStandsOnlyAfterAnId(path: String, allowed: Bool) {
        #expect(PathShapes.isAllowed(path) == allowed)
    }

    @Test func unknownAddressIsAPlain404() async throws {
        try await GatewayBench.run { _, client in
            for path in ["/assets", "/assets/other.css", "/settings/", "/create/", "/a/b/c", "/123456789/unknown"] {
                let response = try await client.get(path)
                #expect(response.status == .notFound)
                #expect(response.isWellFormed() && !response.text.isEmpty)
            }
        }
    }
}
