import ChrootStage
import CrashModel
import Packages
import SystemPackage
import TestFixtures
import Testing

/// Packages that claim the build-ids of others' files.
@Suite struct FalseClaimTests {
    private static let crashed = "aa11223344556677889900aabbccddeeff001122"
    private static let other = "bb11223344556677889900aabbccddeeff001122"
    private static let link = "/usr/lib/.build-id/aa/11223344556677889900aabbccddeeff001122"

    private func elf(_ buildID: String) throws -> TestPackage.Content {
        var file = ELFBuilder(type: 3)
        file.notes = [ELFBuilder.Note("GNU", 3, try BuildID(buildID).bytes)]
        file.segments = [ELFBuilder.Segment(at: 0, flags: 5, content: [UInt8](repeating: 0x90, count: 64))]
        return .file(file.build())
    }

    /// A package whose link says that its file has the build-id of the crash.
    private func claimant(_ name: String, _ path: String, _ buildID: String) throws -> TestPackage {
        let target = "../../../../../" + path
        return TestPackage(
            name, "1-1", [path: try elf(buildID), String(Self.link.dropFirst()): .link(target)])
    }

    private func module(_ binary: ResolvedPackage, _ path: String, debuginfo: (ResolvedPackage, String)? = nil) throws
        -> ResolvedModule
    {
        ResolvedModule(
            module: LoadedModule(
                path: "/usr/bin/crashed", buildID: try BuildID(Self.crashed), start: 0, end: 1, kind: .executable),
            status: .complete, binary: PackagedFile(nevra: binary.nevra, path: path),
            debuginfo: debuginfo.map { PackagedFile(nevra: $0.0.nevra, path: $0.1) })
    }

    @Test func fileWithAnotherBuildIDIsNotInTheRootAndItsPackageIsNotNamed() async throws {
        try await DebianRelease.with { release in
            let liar = try await release.add(try claimant("liar", "usr/bin/evil", Self.other))
            let resolution = release.resolution([liar], modules: [try module(liar, Self.link)])
            let chroot = try await release.builder.build(resolution, task: release.task)
            let root = FilePath(chroot.crashRoot)
            #expect(!exists(root.appending("usr/bin/evil")) && !exists(root.appending("usr/bin/crashed")))
            #expect(chroot.remarks.contains { $0.contains("liar-1-1.amd64 claims build-id \(Self.crashed)") })
            let corrected = try await release.builder.corrected(resolution, task: release.task)
            #expect(corrected.modules.map(\.status) == [.unknown] && corrected.modules[0].binary == nil)
            #expect(corrected.modules[0].reason?.contains("liar") == true)
            // A job that comes twice finds the same.
            let again = try await release.builder.build(resolution, task: release.task)
            #expect(again.remarks == chroot.remarks)
            #expect(try await release.builder.corrected(resolution, task: release.task) == corrected)
        }
    }

    @Test func packageThatReallyHasTheFileIsTakenInstead() async throws {
        try await DebianRelease.with { release in
            let liar = try await release.add(try claimant("liar", "usr/bin/evil", Self.other))
            let honest = try await release.add(try claimant("honest", "usr/bin/crashed", Self.crashed))
            let builder = try PackageIndexBuilder(for: release.mirror)
            for package in [liar, honest] {
                try builder.add(
                    IndexedPackage(
                        nevra: package.nevra, sha256: package.sha256, location: package.location, byteCount: 1,
                        kind: .binary, source: SourcePackage(name: package.nevra.name, version: "1-1")),
                    files: [IndexedPath(path: Self.link, kind: .buildIDLink, buildID: try BuildID(Self.crashed))])
            }
            _ = try builder.publish()
            let resolution = release.resolution([liar], modules: [try module(liar, Self.link)])
            let chroot = try await release.builder.build(resolution, task: release.task)
            let root = FilePath(chroot.crashRoot)
            #expect(exists(root.appending("usr/bin/crashed")) && !exists(root.appending("usr/bin/evil")))
            let corrected = try await release.builder.corrected(resolution, task: release.task)
            #expect(corrected.modules[0].binary?.nevra == honest.nevra && corrected.modules[0].status == .complete)
        }
    }

    @Test func debugFileWithAnotherBuildIDIsTakenAway() async throws {
        try await DebianRelease.with { release in
            let honest = try await release.add(try claimant("honest", "usr/bin/crashed", Self.crashed))
            let named = "/usr/lib/debug/.build-id/aa/11223344556677889900aabbccddeeff001122.debug"
            let debug = try await release.add(
                TestPackage("liar-debuginfo", "1-1", [String(named.dropFirst()): try elf(Self.other)]),
                files: [named])
            let resolution = release.resolution(
                [honest, debug], modules: [try module(honest, Self.link, debuginfo: (debug, named))])
            let chroot = try await release.builder.build(resolution, task: release.task)
            let root = FilePath(chroot.crashRoot)
            #expect(exists(root.appending("usr/bin/crashed")))
            #expect(!exists(root.pushing(FilePath(String(named.dropFirst())))))
            #expect(chroot.remarks.contains { $0.contains("has build-id \(Self.other)") && $0.contains("taken away") })
            let corrected = try await release.builder.corrected(resolution, task: release.task)
            #expect(corrected.modules[0].status == .withoutDebuginfo && corrected.modules[0].binary != nil)
            // The store's own copy is untouched.
            let second = try await release.builder.build(resolution, task: try TaskID("987654321"))
            #expect(second.remarks == chroot.remarks)
        }
    }

    @Test func fileOfAnEarlierPackageAtTheModulesPathIsTakenAway() async throws {
        try await DebianRelease.with { release in
            let first = try await release.add(TestPackage("first", "1-1", ["usr/bin/crashed": try elf(Self.other)]))
            let honest = try await release.add(try claimant("honest", "usr/bin/crashed", Self.crashed))
            let resolution = release.resolution([first, honest], modules: [try module(honest, Self.link)])
            let chroot = try await release.builder.build(resolution, task: release.task)
            #expect(!exists(FilePath(chroot.crashRoot).appending("usr/bin/crashed")))
            #expect(chroot.remarks.contains { $0.contains("/usr/bin/crashed has build-id \(Self.other)") })
            let corrected = try await release.builder.corrected(resolution, task: release.task)
            #expect(corrected.modules[0].status == .unknown)
        }
    }

    /// A package that is fetched on first need is chosen by the path of its file; the file shows whether that was right.
    @Test(arguments: [true, false])
    func fileThatWasFoundByItsPathIsProvedByItsBuildID(isRight: Bool) async throws {
        try await DebianRelease.with { release in
            let package = try await release.add(
                TestPackage("guess", "1-1", ["usr/bin/crashed": try elf(isRight ? Self.crashed : Self.other)]))
            let module = ResolvedModule(
                module: LoadedModule(
                    path: "/usr/bin/crashed", buildID: try BuildID(Self.crashed), start: 0, end: 1, kind: .executable),
                status: .unverified, binary: PackagedFile(nevra: package.nevra, path: "/usr/bin/crashed"),
                reason: "It was not read before.")
            let resolution = release.resolution([package], modules: [module])
            let chroot = try await release.builder.build(resolution, task: release.task)
            #expect(exists(FilePath(chroot.crashRoot).appending("usr/bin/crashed")) == isRight)
            let corrected = try await release.builder.corrected(resolution, task: release.task).modules[0]
            #expect(corrected.status == (isRight ? .withoutDebuginfo : .unknown))
            #expect((corrected.binary?.nevra == package.nevra) == isRight)
            #expect(
                chroot.remarks.contains { $0.contains("guess-1-1.amd64 has /usr/bin/crashed of another build") }
                    != isRight)
        }
    }

    @Test func packageThatLacksTheFileItWasChosenForIsNotSaidToHaveIt() async throws {
        try await DebianRelease.with { release in
            let package = try await release.add(TestPackage("guess", "1-1", ["usr/bin/other": try elf(Self.other)]))
            let module = ResolvedModule(
                module: LoadedModule(
                    path: "/usr/bin/crashed", buildID: try BuildID(Self.crashed), start: 0, end: 1, kind: .executable),
                status: .complete, binary: PackagedFile(nevra: package.nevra, path: "/usr/bin/crashed"))
            let resolution = release.resolution([package], modules: [module])
            _ = try await release.builder.build(resolution, task: release.task)
            let corrected = try await release.builder.corrected(resolution, task: release.task).modules[0]
            #expect(corrected.status == .unknown && corrected.binary == nil)
            #expect(corrected.reason?.contains("guess-1-1.amd64 does not hold /usr/bin/crashed") == true)
        }
    }
}
