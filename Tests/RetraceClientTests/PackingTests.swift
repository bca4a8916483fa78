import Glibc
import SystemPackage
import TestFixtures
import Testing

@testable import RetraceClient

@Suite struct PackingTests {
    @Test(arguments: ArchiveFormat.allCases)
    func aProblemDirectoryIsPackedUnderTheNamesOfABRT(format: ArchiveFormat) async throws {
        try await ScratchDirectory.with { directory in
            try makeProblemDirectory(directory)
            let files = try readProblemDirectory(directory)
            #expect(files.taskType == 0)
            try await files.withPackedArchive(format, in: directory) { archive throws(ClientError) in
                let packed = try? members(of: archive)
                #expect(packed?.map(\.name) == ["coredump", "executable", "package", "os_release", "rootdir"])
                #expect(packed?.first?.content == demoCore())
            }
            #expect(!FolderContents.names(in: directory).contains { $0.hasPrefix("retrace-upload-") })
        }
    }

    @Test(arguments: ["coredump", "executable", "package", "os_release"])
    func aMissingFileIsNamed(name: String) async throws {
        try await ScratchDirectory.with { directory in
            try makeProblemDirectory(directory, without: [name])
            let error = await clientError { _ = try readProblemDirectory(directory) }
            #expect(error?.kind == .unusableInput)
            #expect(error?.reason.contains("lacks \(name).") == true)
        }
    }

    @Test func aLinkInAProblemDirectoryIsRefused() async throws {
        try await ScratchDirectory.with { directory in
            try makeProblemDirectory(directory, without: ["package"])
            try #require(symlink("/etc/passwd", directory.appending("package").string) == 0)
            let error = await clientError { _ = try readProblemDirectory(directory) }
            #expect(error?.reason.contains("not a regular file") == true)
        }
    }

    @Test func aTextInPlaceOfTheCoreIsToldBeforeAnythingIsSent() async throws {
        try await ScratchDirectory.with { directory in
            try makeProblemDirectory(directory)
            try write(Array("no core".utf8), to: directory.appending("coredump"))
            let error = await clientError { _ = try readProblemDirectory(directory) }
            #expect(error?.kind == .unusableInput)
            #expect(error?.reason.contains("text") == true)
        }
    }

    @Test func aBareCoreGetsItsFactsFromTheMachine() async throws {
        try await ScratchDirectory.with { directory in
            let core = directory.appending("core")
            try write(demoCore(), to: core)
            let files = try await readBareCore(core, host: debianHost())
            #expect(
                files.members == [
                    CrashMember(.coredump, .file(core)), CrashMember(.executable, .text("/usr/bin/demo")),
                    CrashMember(.package, .text("demo-1.2-3")),
                    CrashMember(.osRelease, .text("Debian GNU/Linux 12 (bookworm)")),
                ])
        }
    }

    @Test func aSnapshotOfVMwareIsSentWithTheMemoryBesideIt() async throws {
        try await ScratchDirectory.with { directory in
            let (snapshot, memory) = (directory.appending("web-1.vmss"), directory.appending("web-1.vmem"))
            try write([0xd2, 0xbe, 0xd2, 0xbe, 8, 0, 0, 0, 0, 0, 0, 0], to: snapshot)
            let alone = try await readBareCore(snapshot, host: debianHost())
            #expect(alone.members == [CrashMember(.vmcore, .file(snapshot))] && alone.remarks.isEmpty)
            try write([1, 2, 3], to: memory)
            let files = try await readBareCore(snapshot, host: debianHost())
            #expect(
                files.members == [
                    CrashMember(.vmcoreSuspended, .file(snapshot)), CrashMember(.vmcoreMemory, .file(memory)),
                ])
            #expect(files.taskType == 2 && files.remarks.count == 1)
        }
    }

    @Test(arguments: [
        ("vmcore", CrashMember.Name.vmcoreSuspended), ("vmcore.vmss", .vmcoreSuspended),
        ("vmcore.vmsn", .vmcoreSnapshot),
    ])
    func aDirectoryWithVMwaresMachineIsBothOfItsFiles(_ file: String, _ name: CrashMember.Name) async throws {
        try await ScratchDirectory.with { directory in
            let (snapshot, memory) = (directory.appending(file), directory.appending("vmcore.vmem"))
            try write([1, 2, 3], to: memory)
            let lonely = await clientError { _ = try readProblemDirectory(directory) }
            #expect(lonely?.kind == .unusableInput && lonely?.reason.contains("vmcore.vmem") == true)
            #expect(lonely?.advice?.contains("vmcore.vmss") == true)
            try write([0xd2, 0xbe, 0xd2, 0xbe, 8, 0, 0, 0, 0, 0, 0, 0], to: snapshot)
            let files = try readProblemDirectory(directory)
            #expect(
                files.members == [CrashMember(name, .file(snapshot)), CrashMember(.vmcoreMemory, .file(memory))])
            #expect(files.taskType == 2)
            #expect(try await readBareCore(snapshot, host: debianHost()) == files)
            #expect(unlink(memory.string) == 0)
            #expect(try readProblemDirectory(directory).members == [CrashMember(.vmcore, .file(snapshot))])
        }
    }

    @Test func aDumpThatIsNoSnapshotIsSentWithoutWhatLiesBesideIt() async throws {
        try await ScratchDirectory.with { directory in
            let dump = directory.appending("vmcore")
            try write(Array("KDUMP   ".utf8) + [UInt8](repeating: 1, count: 500), to: dump)
            try write([1, 2, 3], to: directory.appending("vmcore.vmem"))
            #expect(try readProblemDirectory(directory).members == [CrashMember(.vmcore, .file(dump))])
            try write(Array("text".utf8), to: dump)
            let error = await clientError { _ = try readProblemDirectory(directory) }
            #expect(error?.kind == .unusableInput)
        }
    }

    @Test func anotherProgramOnTheMachineIsNotTakenForTheCrashedOne() async throws {
        try await ScratchDirectory.with { directory in
            let core = directory.appending("core")
            try write(demoCore(), to: core)
            let host = debianHost(program: demoProgram(buildID: [UInt8](21...40)))
            let error = await clientError { _ = try await readBareCore(core, host: host) }
            #expect(error?.reason.contains("build-id is another") == true)
            #expect(error?.advice?.contains("--package") == true)
            let given = GivenFacts(package: "demo-1-1")
            let files = try await readBareCore(core, given: given, host: host)
            #expect(files.members.contains(CrashMember(.package, .text("demo-1-1"))))
            #expect(files.remarks.count == 1)
        }
    }

    @Test func aMachineWithoutPackageOrReleaseSaysWhichOptionHelps() async throws {
        try await ScratchDirectory.with { directory in
            let core = directory.appending("core")
            try write(demoCore(), to: core)
            let unowned = await clientError { _ = try await readBareCore(core, host: debianHost(owned: "/x")) }
            #expect(unowned?.advice?.contains("--package") == true)
            let nowhere = await clientError { _ = try await readBareCore(core, host: debianHost(release: nil)) }
            #expect(nowhere?.advice?.contains("--release") == true)
            try write(Array("text".utf8), to: core)
            let text = await clientError { _ = try await readBareCore(core, host: debianHost()) }
            #expect(text?.kind == .unusableInput)
        }
    }

    @Test func dpkgIsAskedForBothSpellingsOfAMergedPath() async {
        #expect(CrashHost.spellings(of: "/usr/bin/demo") == ["/usr/bin/demo", "/bin/demo"])
        #expect(CrashHost.spellings(of: "/lib/x.so") == ["/lib/x.so", "/usr/lib/x.so"])
        #expect(CrashHost.spellings(of: "/opt/demo") == ["/opt/demo"])
        #expect(await debianHost(owned: "/bin/demo").package(owning: "/usr/bin/demo") == "demo-1.2-3")
    }

    @Test func aReleaseLineWithoutAVersionIsReplacedByTheWholeFile() {
        let text = "PRETTY_NAME=\"Debian GNU/Linux trixie/sid\"\nVERSION_CODENAME=trixie\n"
        #expect(debianHost(release: text).releaseText() == text)
    }
}
