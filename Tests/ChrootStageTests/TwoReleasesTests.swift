import ChrootStage
import CrashModel
import Packages
import SystemPackage
import TestFixtures
import Testing

/// A process with files of two releases, as where a container meets its host: each package is of its own mirror.
@Suite struct TwoReleasesTests {
    private static let crashed = "aa11223344556677889900aabbccddeeff001122"
    private static let other = "bb11223344556677889900aabbccddeeff001122"

    private func elf(_ buildID: String) throws -> TestPackage.Content {
        var file = ELFBuilder(type: 3)
        file.notes = [ELFBuilder.Note("GNU", 3, try BuildID(buildID).bytes)]
        file.segments = [ELFBuilder.Segment(at: 0, flags: 5, content: [UInt8](repeating: 0x90, count: 64))]
        return .file(file.build())
    }

    private func publish(
        _ packages: [(ResolvedPackage, IndexedPath, PackageKind)], to mirror: MirrorDirectory
    ) throws {
        let builder = try PackageIndexBuilder(for: mirror)
        for (package, path, kind) in packages {
            try builder.add(
                IndexedPackage(
                    nevra: package.nevra, sha256: package.sha256, location: package.location, byteCount: 1, kind: kind,
                    source: SourcePackage(name: package.nevra.name, version: "1-1")), files: [path])
        }
        _ = try builder.publish()
    }

    @Test func packagesOfBothMirrorsAreInTheRootAndSharedDWARFComesFromItsOwn() async throws {
        try await DebianRelease.with { release in
            let host = try release.neighbour()
            let program = try await release.add(TestPackage("tool", "1-1", ["usr/bin/tool": try elf(Self.crashed)]))
            let library = try await release.add(
                TestPackage("libhost", "1-1", ["usr/lib/libhost.so.1": try elf(Self.other)]), to: host)
            var file = ELFBuilder(type: 3)
            file.sections = [
                ELFBuilder.Section(
                    ".gnu_debugaltlink", Array("../../.dwz/host".utf8) + [0] + (try BuildID("0badcafe")).bytes)
            ]
            let named = "/usr/lib/debug/.build-id/ab/cd.debug"
            let debug = try await release.add(
                TestPackage("libhost-dbg", "1-1", [String(named.dropFirst()): .file(file.build())]), files: [named],
                to: host)
            let shared = try await release.add(
                TestPackage("host-dbg", "1-1", ["usr/lib/debug/.dwz/host": .text("shared")]), to: host)
            try publish(
                [
                    (
                        shared,
                        IndexedPath(path: "/usr/lib/debug/.dwz/host", kind: .dwz, buildID: try BuildID("0badcafe")),
                        .debuginfo
                    )
                ],
                to: host)
            let chroot = try await release.builder.build(
                release.resolution([program, library, debug]), task: release.task)
            let root = FilePath(chroot.crashRoot)
            #expect(exists(root.appending("usr/bin/tool")) && exists(root.appending("usr/lib/libhost.so.1")))
            #expect(contents(root.appending("usr/lib/debug/.dwz/host")) == "shared")
            #expect(chroot.remarks == [])
        }
    }

    @Test func insteadOfALiarOfTheOtherReleaseAPackageOfItsMirrorIsTaken() async throws {
        try await DebianRelease.with { release in
            let host = try release.neighbour()
            let path = "/usr/bin/crashed"
            let liar = try await release.add(
                TestPackage("liar", "1-1", ["usr/bin/crashed": try elf(Self.other)]), to: host)
            let honest = try await release.add(
                TestPackage("honest", "1-1", ["usr/bin/crashed": try elf(Self.crashed)]), to: host)
            let claim = IndexedPath(path: path, kind: .binary, buildID: try BuildID(Self.crashed))
            try publish([(liar, claim, .binary), (honest, claim, .binary)], to: host)
            let module = ResolvedModule(
                module: LoadedModule(
                    path: path, buildID: try BuildID(Self.crashed), start: 0, end: 1, kind: .executable),
                status: .complete, binary: PackagedFile(nevra: liar.nevra, path: path))
            let resolution = release.resolution([liar], modules: [module])
            _ = try await release.builder.build(resolution, task: release.task)
            let corrected = try await release.builder.corrected(resolution, task: release.task)
            #expect(corrected.modules[0].binary?.nevra == honest.nevra && corrected.modules[0].status == .complete)
        }
    }
}
