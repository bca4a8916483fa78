import CrashModel
import Packages
import ReposyncStage
import SystemPackage
import TestFixtures
import Testing

/// Uses Debian's own packages from the folder of fixtures, and is skipped where that is absent.
@Suite(.enabled(if: FixtureFolder.path != nil)) struct RealPackages {
    @Test func debiansLuaIsFoundByTheBuildIDOfItsProgram() async throws {
        let debs = try #require(FixtureFolder.path).appending("debs")
        try await TestMirror.with { mirror in
            for name in ["lua5.4_5.4.4-3+deb12u1", "liblua5.4-0-dbg_5.4.4-3+deb12u1", "libffi8_3.4.4-1"] {
                try await mirror.archive.add(debs.appending("\(name)_amd64.deb"))
            }
            try await mirror.archive.publish(signedBy: mirror.key)
            let report = try await mirror.synchronise([])
            #expect(report.downloadedCount == 8)
            let index = try #require(try PackageIndex(mirror.directory))
            let files = try index.files(with: try BuildID("1061f95d5cf9242924aac24fb75ecdcab7eac0e6"))
            #expect(files.map { "\($0.package.nevra.name) \($0.path)" }.contains("lua5.4 /usr/bin/lua5.4"))
            #expect(files.contains { $0.package.nevra.name == "liblua5.4-0-dbg" && $0.package.kind == .debuginfo })
        }
    }
}
