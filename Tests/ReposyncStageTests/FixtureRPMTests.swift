import CrashModel
import Packages
import ReposyncStage
import SystemPackage
import TestFixtures
import Testing

/// Packages that distributions signed, from the folder of fixtures; skipped where that is absent.
extension RPMDirectory {
    private func copy(_ files: [String], key: String, in folder: FilePath) async throws {
        let fixtures = try #require(FixtureFolder.path)
        for name in ["plugins", "keys", "repo"] { try DebianArchive.makeDirectories(folder.appending(name)) }
        for file in files { try await tool(["cp", fixtures.pushing(FilePath(file)).string, "\(folder)/repo/"]) }
        try await tool(["cp", fixtures.pushing(FilePath(key)).string, "\(folder)/keys/test.asc"])
        try await tool(["createrepo_c", "--quiet", "\(folder)/repo"])
    }

    @Test(.enabled(if: FixtureFolder.path != nil))
    func packageSignedByTheDistributionIsTakenWithItsKeyAndNoOther() async throws {
        try await ScratchDirectory.with { folder in
            let packages = [
                "centos-release-6-0.el6.centos.5.x86_64.rpm", "centos-release-7-2.1511.el7.centos.2.10.x86_64.rpm",
            ]
            try await copy(packages.map { "signed-rpms/\($0)" }, key: "signed-rpms/RPM-GPG-KEY-CentOS-7", in: folder)
            let report = try await sync(folder, [])
            #expect(report.downloadedCount == 1 && report.index.packageCount == 1, "\(report)")
            #expect(
                report.refused.count == 1 && report.refused[0].hasPrefix("centos-release-")
                    && report.refused[0].contains("6-0.el6"))
        }
    }

    @Test(.enabled(if: FixtureFolder.path != nil))
    func corruptedAndUnsignedPackagesAreLeftOutBesideTheSignedOne() async throws {
        try await ScratchDirectory.with { folder in
            try await copy(
                ["rpm/hello-2.0-1.x86_64-signed.rpm", "rpm/hello-2.0-1.x86_64.rpm"],
                key: "rpm/rpm.org-rsa-2048-test.pub", in: folder)
            let report = try await sync(folder, [])
            #expect(report.downloadedCount == 1 && report.refused.count == 1, "\(report)")
        }
    }

    @Test(.enabled(if: FixtureFolder.path != nil))
    func corruptedPackageNeverReachesThePool() async throws {
        try await ScratchDirectory.with { folder in
            try await copy(
                ["rpm/hello-2.0-1.x86_64-corrupted.rpm"], key: "rpm/rpm.org-rsa-2048-test.pub", in: folder)
            let report = try await sync(folder, [])
            #expect(report.index.packageCount == 0 && report.downloadedCount == 0, "\(report)")
        }
    }
}
