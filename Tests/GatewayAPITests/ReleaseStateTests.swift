import CrashModel
import FoundationEssentials
import GatewayAPI
import HTTPTypes
import HummingbirdTesting
import TaskStorage
import TestFixtures
import Testing

/// How fresh the releases are, as people, programs and Prometheus see it.
@Suite struct ReleaseStateTests {
    private struct Entry: Decodable {
        struct Running: Decodable { let message: String }
        let release: String
        let served: Bool
        let packages: Int
        let age_seconds: Int64?
        let failure: String?
        let remarks: [String]
        let running: Running?
    }

    private func mirrors() throws -> [MirroredRelease] {
        let now = wallClockMicroseconds() / 1_000_000
        return [
            MirroredRelease(
                releaseID: try ReleaseID("fedora-40-x86_64"), isServed: true, packageCount: 60_000, byteCount: 1 << 40,
                lastSuccessAt: now - 7300, finishedAt: now - 60, failure: "No mirror gave <b>it</b>.",
                remarks: ["unsigned-1.0 has no good signature."]),
            MirroredRelease(
                releaseID: try ReleaseID("rhel-9-x86_64"), isServed: false, finishedAt: now, failure: "No key."),
        ]
    }

    @Test func everyReleaseIsToldWithItsAgeAndLastError() async throws {
        try await GatewayBench.run(mirrors: mirrors()) { bench, client in
            _ = try await bench.store.apply(
                TaskEvent(
                    task: nil, releaseID: try ReleaseID("rhel-9-x86_64"), stage: .reposync, kind: .progress,
                    microseconds: 5, message: "downloading 3 packages", fraction: 0.5))
            let response = try await client.get("/releases")
            #expect(response.status == .ok && response.isWellFormed("application/json"))
            let entries = try JSONDecoder().decode([Entry].self, from: Data(response.text.utf8))
            #expect(entries.map(\.release) == ["debian-12-x86_64", "fedora-40-x86_64", "rhel-9-x86_64"])
            #expect(entries.map(\.served) == [true, true, false])
            #expect((7300...7400).contains(try #require(entries[1].age_seconds)))
            #expect(entries[1].failure == "No mirror gave <b>it</b>." && entries[1].remarks.count == 1)
            #expect(entries[2].age_seconds == nil && entries[2].running?.message == "downloading 3 packages")
        }
    }

    @Test func frontPageShowsAgeAndErrorEscaped() async throws {
        try await GatewayBench.run(releases: [], mirrors: mirrors()) { _, client in
            let page = try await client.get("/").text
            #expect(page.contains("fedora-40-x86_64</th>") && page.contains(">60000<") && page.contains("2 hours ago"))
            #expect(page.contains("The last synchronisation failed: No mirror gave &lt;b&gt;it&lt;/b&gt;."))
            #expect(page.contains("rhel-9-x86_64</th>") && page.contains("cannot be retraced yet"))
        }
    }

    @Test func metricsAreOffUnlessTheOperatorAllowsThem() async throws {
        try await GatewayBench.run { _, client in
            let response = try await client.get("/metrics")
            #expect(response.status == .forbidden && response.text.contains("http.metrics"))
        }
    }

    @Test func metricsHaveUpstreamsSeriesFirstAndTheAgesOfReleases() async throws {
        var limits = GatewayLimits()
        limits.allowMetrics = true
        try await GatewayBench.run(limits: limits, mirrors: mirrors(), freeBytes: { _ in 4096 }) { bench, client in
            _ = try await bench.makeTask([.started, .failed])
            _ = try await bench.makeTask([.started, .succeeded])
            let response = try await client.get("/metrics")
            #expect(response.status == .ok && response.isWellFormed())
            let lines = response.text.split(separator: "\n").map(String.init)
            let samples = lines.filter { !$0.hasPrefix("#") }
            #expect(
                Array(samples.prefix(5)) == [
                    "retrace_savedir_free_bytes 4096", "retrace_tasks_running 0", "retrace_tasks_overload 0",
                    "retrace_tasks_finished{result=\"fail\"} 1", "retrace_tasks_finished{result=\"success\"} 1",
                ])
            #expect(samples.contains("retrace_release_last_sync_failed{release=\"fedora-40-x86_64\"} 1"))
            #expect(samples.contains("retrace_release_packages{release=\"fedora-40-x86_64\"} 60000"))
            #expect(samples.contains { $0.hasPrefix("retrace_release_last_success_timestamp_seconds{release=\"fed") })
            // Never synchronised well: no moment to tell.
            #expect(!samples.contains { $0.hasPrefix("retrace_release_last_success_timestamp_seconds{release=\"rhel") })
            for sample in samples {
                let name = sample.prefix { $0 != "{" && $0 != " " }
                #expect(
                    lines.contains { $0.hasPrefix("# TYPE \(name) ") }
                        && lines.contains { $0.hasPrefix("# HELP \(name) ") })
            }
        }
    }
}
