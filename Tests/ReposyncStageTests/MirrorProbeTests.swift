import CrashModel
import Distributions
import ReposyncStage
import SystemPackage
import TestFixtures
import Testing

/// What `retrace plugin check` asks mirrors.
@Suite struct MirrorProbes {
    private func probes(_ mirrors: [String], in mirror: TestMirror) async throws -> [MirrorProbe] {
        try mirror.write(Array(DebianArchive.plugin(mirrors: mirrors).utf8), to: "plugins/debian.yaml")
        let catalog = try DistributionCatalog(
            plugins: mirror.folder.appending("plugins"), keys: mirror.folder.appending("keys"))
        let distribution = try #require(catalog.distribution(named: "debian"))
        var limits = SyncLimits()
        limits.connectSeconds = 1
        limits.silenceSeconds = 1
        limits.fileSeconds = 5
        var found: [MirrorProbe] = []
        await probeMirrors(of: distribution, for: mirror.releaseID, limits: limits, apt: AptSources(entries: [])) {
            found.append($0)
        }
        return mirrors.compactMap { address in
            found.first { $0.mirror == address } ?? found.first { _ in mirrors.count == 1 }
        }
    }

    private func reason(_ probe: MirrorProbe?) -> String? {
        guard case .failed(let reason)? = probe?.answer else { return nil }
        return reason
    }

    @Test func everyMirrorIsAskedAndToldApart() async throws {
        try await TestMirror.with { mirror in
            let good = try await FolderServer(mirror.archive.folder)
            let silent = try await FolderServer(mirror.archive.folder, silent: ["InRelease"])
            let empty = try await FolderServer(mirror.folder)
            let down = "http://127.0.0.1:1"
            let found = try await probes([good.address, silent.address, empty.address, down], in: mirror)
            try #require(found.count == 4)
            guard case .reachable(let detail) = found[0].answer else {
                Issue.record("\(found[0])")
                return
            }
            #expect(detail.contains("InRelease"))
            #expect(found.dropFirst().allSatisfy { reason($0) != nil })
            #expect(reason(found[2])?.contains("404") == true, "\(found[2])")
            #expect(Set(found.map(\.repository)) == ["main"])
            for server in [good, silent, empty] { try await server.stop() }
        }
    }

    @Test func localFolderIsAskedTooAndOneThatIsMissingIsTold() async throws {
        try await TestMirror.with { mirror in
            let here = try await probes([mirror.archive.folder.string], in: mirror)
            guard case .reachable? = here.first?.answer else {
                Issue.record("\(here)")
                return
            }
            let gone = try await probes(["/nonexistent"], in: mirror)
            #expect(reason(gone.first) != nil)
        }
    }
}
