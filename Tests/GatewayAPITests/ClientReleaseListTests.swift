import CrashModel
import TaskStorage
import Testing

@testable import GatewayAPI

/// `supported_releases` as ABRT's client needs it: its own spelling, the most useful first, 32 at most.
@Suite struct ClientReleaseListTests {
    /// 2025-11-25.
    private static let now: Int64 = 1_764_028_800

    private func mirrors(_ names: [String], synchronised: [String: Int64] = [:]) throws -> [MirroredRelease] {
        try names.map {
            MirroredRelease(releaseID: try ReleaseID($0), isServed: true, lastSuccessAt: synchronised[$0])
        }
    }

    @Test(arguments: [
        ("rhel-8-x86_64", "rhel-8.4-x86_64"), ("rhel-8-x86_64", "rhel-8.10-x86_64"),
        ("rhel-9-x86_64", "rhel-9.7-x86_64"),
        ("rhel-10-x86_64", "rhel-10.1-x86_64"), ("rhel-7-x86_64", "rhel-7.9-x86_64"),
        ("rhel-6-x86_64", "rhel-6.10-i386"),
        ("rhel-9-aarch64", "rhel-9.0-aarch64"), ("almalinux-9-x86_64", "AlmaLinux-9.4-x86_64"),
        ("ubuntu-22.04-x86_64", "Ubuntu-22.04-x86_64"), ("fedora-rawhide-x86_64", "fedora-rawhide-x86_64"),
        ("fedora-30-x86_64", "fedora-30-i386"), ("debian-12-x86_64", "debian-12-x86_64"),
    ])
    func releaseIsListedAsItsClientsNameIt(mirrored: String, asked: String) throws {
        #expect(try ClientReleaseList(mirrors([mirrored]), now: Self.now).names.contains(asked))
    }

    @Test func minorReleasesAreListedWhenTheyAreOut() throws {
        let rhel = try mirrors(["rhel-10-x86_64"])
        #expect(!ClientReleaseList(rhel, now: Self.now).names.contains("rhel-10.2-x86_64"))
        #expect(ClientReleaseList(rhel, now: Self.now + 15_778_800).names.contains("rhel-10.2-x86_64"))
        #expect(ClientReleaseList(rhel, now: 1_700_000_000).names == ["rhel-10-x86_64", "rhel-10-i386"])
        #expect(try !ClientReleaseList(mirrors(["rhel-8-x86_64"]), now: .max / 2).names.contains("rhel-8.11-x86_64"))
    }

    @Test func debianOf64BitsServesNoCrashesOf32() throws {
        #expect(try ClientReleaseList(mirrors(["debian-12-x86_64"]), now: Self.now).names == ["debian-12-x86_64"])
    }

    @Test func everyReleaseHasItsBestNameBeforeAnyHasItsSecond() throws {
        let names = ClientReleaseList(
            try mirrors(["rhel-8-x86_64", "rhel-9-x86_64", "debian-12-x86_64"]), now: Self.now
        ).names
        #expect(names.prefix(3) == ["debian-12-x86_64", "rhel-8.10-x86_64", "rhel-9.7-x86_64"])
        #expect(names.count == 32 && Set(names).count == 32)
    }

    @Test func moreThan32ReleasesLeaveTheMostUsedAndTheFreshest() throws {
        let all = (1...40).map { "fedora-\($0)-x86_64" }
        let list = ClientReleaseList(
            try mirrors(all + ["debian-12-x86_64"], synchronised: ["fedora-39-x86_64": Self.now]),
            use: [try ReleaseID("debian-12-x86_64"): 7, try ReleaseID("fedora-40-x86_64"): 9], now: Self.now)
        #expect(list.names.count == 32 && list.omitted == 49)
        #expect(list.names.prefix(3) == ["fedora-40-x86_64", "debian-12-x86_64", "fedora-39-x86_64"])
        #expect(!list.names.contains { $0.hasSuffix("i386") })
    }

    @Test func releaseThatIsNotServedIsNotListed() throws {
        let list = ClientReleaseList(
            [MirroredRelease(releaseID: try ReleaseID("fedora-40-x86_64"), isServed: false)], now: Self.now)
        #expect(list.names.isEmpty && list.omitted == 0)
    }

    @Test func releasesAreRankedByTheTasksThatEndedHere() async throws {
        try await GatewayBench.run(releases: ["debian-12-x86_64", "ubuntu-22.04-x86_64"]) { bench, client in
            let (directory, _) = try await bench.makeTask()
            _ = try await bench.store.apply(
                TaskEvent(
                    task: directory.task, releaseID: try ReleaseID("ubuntu-22.04-x86_64"), stage: .resolve,
                    kind: .succeeded, microseconds: 1, message: "found"))
            _ = try await bench.store.apply(
                TaskEvent(task: directory.task, stage: .retrace, kind: .succeeded, microseconds: 2, message: "done"))
            let line = try await client.get("/settings").text.split(separator: "\n").last
            #expect(line?.hasPrefix("supported_releases Ubuntu-22.04-x86_64 debian-12-x86_64") == true)
        }
    }
}
