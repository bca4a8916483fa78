import CrashModel
import Packages
import SystemPackage
import TestFixtures
import Testing

struct PackageScanTests {
    private let buildID: BuildID
    private let other: BuildID

    init() throws {
        buildID = try BuildID("00112233445566778899aabbccddeeff00112233")
        other = try BuildID("ffee2233445566778899aabbccddeeff00112233")
    }

    private func scan(_ made: MadeDebianPackage) throws -> [String: IndexedPath] {
        try ScratchDirectory.with { directory in
            let contents = try scanPackage(made.write(to: directory, as: "made.deb"))
            return Dictionary(contents.paths.map { ($0.path, $0) }) { first, _ in first }
        }
    }

    @Test func buildIDsComeFromTheNotesAndPathsAreMerged() throws {
        var made = MadeDebianPackage("made", version: "1.0-1")
        made.addELF("/lib/x86_64-linux-gnu/libmade.so.1", buildID)
        made.addELF("/usr/bin/made", nil)
        made.add("/usr/bin/made-script", Array("#!/bin/sh\n".utf8), executable: true)
        made.add("/usr/share/doc/made/copyright", Array("free".utf8))
        made.link("/usr/lib/x86_64-linux-gnu/libmade.so", to: "libmade.so.1")
        #expect(
            try scan(made) == [
                "/usr/lib/x86_64-linux-gnu/libmade.so.1": IndexedPath(
                    path: "/usr/lib/x86_64-linux-gnu/libmade.so.1", kind: .binary, buildID: buildID),
                "/usr/bin/made": IndexedPath(path: "/usr/bin/made", kind: .binary),
                "/usr/bin/made-script": IndexedPath(path: "/usr/bin/made-script", kind: .script),
            ])
    }

    /// As the kernel's own linker script lays vmlinux out: its notes are at the end of its constants.
    @Test func notesBehindMegabytesOfCodeAreFound() throws {
        var notes = ELFBuilder(type: 2)
        notes.notes = [.init("GNU", 3, buildID.bytes)]
        var vmlinux = ELFBuilder(type: 2)
        vmlinux.segments = [
            .init(at: 0xffff_ffff_8100_0000, content: [UInt8](repeating: 0x90, count: 3_000_000)),
            .init(type: 4, at: 0xffff_ffff_8240_0000, content: notes.noteBytes),
            .init(at: 0xffff_ffff_8300_0000, content: [UInt8](repeating: 1, count: 100_000)),
        ]
        var lying = vmlinux
        lying.segments[1].statedFileSize = UInt64(1) << 62
        var cut = vmlinux
        cut.segments[1].statedOffset = UInt64.max - 8
        var made = MadeDebianPackage("made-dbg", version: "1.0-1")
        for (name, file) in [("true", vmlinux), ("lying", lying), ("cut", cut)] {
            made.add("/usr/lib/debug/boot/vmlinux-\(name)", file.build())
        }
        let found = try scan(made)
        #expect(found.count == 3)
        #expect(found["/usr/lib/debug/boot/vmlinux-true"]?.buildID == buildID)
        #expect(found["/usr/lib/debug/boot/vmlinux-lying"]?.buildID == nil)
        #expect(found["/usr/lib/debug/boot/vmlinux-cut"]?.buildID == nil)
    }

    @Test func debugFilesAreKnownByTheirPlace() throws {
        var made = MadeDebianPackage("made-dbg", version: "1.0-1")
        made.addELF(buildID.debugPath, nil)
        made.addELF("/usr/lib/debug/usr/bin/made", other)
        made.addELF("/usr/lib/debug/.dwz/x86_64-linux-gnu/made.debug", other)
        made.add("/usr/share/gdb/auto-load/usr/bin/made-gdb.py", Array("import gdb\n".utf8))
        made.link("/usr/share/gdb/auto-load/usr/bin/other-gdb.py", to: "made-gdb.py")
        made.add("/usr/lib/debug/.build-id/zz/nonsense.debug", [0x7f])
        let found = try scan(made)
        #expect(found.count == 5)
        #expect(found[buildID.debugPath]?.kind == .debug)
        #expect(found[buildID.debugPath]?.buildID == buildID)
        #expect(found["/usr/lib/debug/usr/bin/made"]?.kind == .debugByPath)
        #expect(found["/usr/lib/debug/usr/bin/made"]?.buildID == other)
        #expect(found["/usr/lib/debug/.dwz/x86_64-linux-gnu/made.debug"]?.kind == .dwz)
        #expect(found["/usr/share/gdb/auto-load/usr/bin/made-gdb.py"]?.kind == .autoLoad)
        #expect(
            found["/usr/share/gdb/auto-load/usr/bin/other-gdb.py"]?.target
                == "/usr/share/gdb/auto-load/usr/bin/made-gdb.py")
    }

    @Test func linksByBuildIDLeadToTheirFiles() throws {
        var made = MadeDebianPackage("made", version: "1.0-1")
        made.link("/usr/lib/.build-id/\(buildID.pathComponents)", to: "../../../bin/made")
        made.link(buildID.debugPath, to: "../../usr/bin/made.debug")
        made.link("/usr/lib/debug/.build-id/\(other.pathComponents)", to: "../../../../bin/other")
        let found = try scan(made)
        let link = found["/usr/lib/.build-id/\(buildID.pathComponents)"]
        #expect(link?.kind == .buildIDLink)
        #expect(link?.target == "/usr/bin/made")
        #expect(found[buildID.debugPath]?.target == "/usr/lib/debug/usr/bin/made.debug")
        #expect(found["/usr/lib/debug/.build-id/\(other.pathComponents)"]?.kind == .buildIDLink)
    }

    @Test func aHardLinkHasTheIdentityOfItsFile() throws {
        var made = MadeDebianPackage("made", version: "1.0-1")
        made.addELF("/usr/bin/perl", buildID)
        made.hardLink("/usr/bin/perl5.36", to: "/usr/bin/perl")
        let found = try scan(made)
        #expect(found["/usr/bin/perl5.36"]?.buildID == buildID)
        #expect(found["/usr/bin/perl"]?.buildID == buildID)
    }

    @Test func aFileThatOnlyBeginsAsELFIsLeftOutWithARemark() throws {
        try ScratchDirectory.with { directory in
            var made = MadeDebianPackage("made", version: "1.0-1")
            made.add("/usr/bin/fake", [0x7f, 0x45, 0x4c, 0x46, 9, 9, 9, 9], executable: true)
            let contents = try scanPackage(made.write(to: directory, as: "made.deb"))
            #expect(contents.paths.isEmpty)
            #expect(contents.remarks.count == 1)
        }
    }

    @Test func aTruncatedPackageIsReportedNotLooped() throws {
        try ScratchDirectory.with { directory in
            var made = MadeDebianPackage("made", version: "1.0-1")
            made.addELF("/usr/bin/made", buildID)
            let whole = made.bytes
            for length in stride(from: 0, to: whole.count - 1024, by: 97) {
                let path = directory.appending("cut.deb")
                let file = try FileDescriptor.open(
                    path, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
                try file.closeAfter { _ = try file.writeAll(whole[..<length]) }
                #expect(throws: UnreadablePackage.self) { try scanPackage(path) }
            }
        }
    }

    @Test func theIdentityOfADebIsInItsControlStanza() throws {
        let stanza = """
            Package: flowgrind-dbg
            Source: flowgrind (1:0.8.2-2)
            Version: 1:0.8.2-2+b2
            Architecture: amd64
            Section: debug
            Description: Debugging version
             Version: 9
            """
        let package = try IndexedPackage(
            debianControl: stanza, sha256: String(repeating: "a", count: 64), location: "pool/x.deb", byteCount: 5)
        #expect(package.nevra.description == "flowgrind-dbg-1:0.8.2-2+b2.amd64")
        #expect(package.source == SourcePackage(name: "flowgrind", version: "1:0.8.2-2"))
        #expect(package.kind == .debuginfo)
        let plain = try IndexedPackage(
            debianControl: "Package: a\nVersion: 1\nArchitecture: all\n", sha256: "", location: "", byteCount: 0)
        #expect(plain.source == SourcePackage(name: "a", version: "1"))
        #expect(plain.kind == .binary)
        #expect(throws: InvalidValue.self) {
            try IndexedPackage(debianControl: "Package: a\n", sha256: "", location: "", byteCount: 0)
        }
    }
}
