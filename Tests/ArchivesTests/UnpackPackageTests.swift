import Archives
import CArchive
import Glibc
import SystemPackage
import TestFixtures
import Testing

@Suite struct UnpackPackageTests {
    private func unpacked(
        _ package: [UInt8], limits: ExtractionLimits = ExtractionLimits(),
        _ check: (UnpackedPackage, _ root: FilePath) throws -> Void
    ) throws {
        try withFile(package) { file, folder in
            let root = folder.appending("root")
            try check(try unpackPackage(file, into: root, limits: limits), root)
        }
    }

    private func expectError(
        _ code: ArchiveError.Code, _ package: [UInt8], limits: ExtractionLimits = ExtractionLimits(),
        _ place: SourceLocation = #_sourceLocation
    ) {
        #expect(sourceLocation: place) {
            try unpacked(package, limits: limits) { _, _ in }
        } throws: { error in
            (error as? ArchiveError)?.code == code
        }
    }

    private func debian(_ data: TarBuilder) -> [UInt8] { PackageBytes.debian(control: "Package: demo\n", data: data) }

    private var sample: TarBuilder {
        var data = TarBuilder()
        data.add("./", type: "5", mode: 0o755)
        data.add("./usr/", type: "5", mode: 0o700)
        data.add("./usr/bin/", type: "5", mode: 0o755)
        data.add("./usr/bin/demo", content: Array("program".utf8), mode: 0o4755)
        data.add("./usr/bin/alias", type: "2", linkTarget: "demo")
        data.add("./usr/bin/other", type: "1", linkTarget: "./usr/bin/demo")
        data.add("./lib/x86_64-linux-gnu/libdemo.so", content: noise(200_000), mode: 0o600)
        return data
    }

    @Test(arguments: realCompressions)
    func debianPackageUnpacks(_ compression: ArchiveCompression) throws {
        let name = "data.tar." + [.gzip: "gz", .bzip2: "bz2", .zstd: "zst"][compression, default: compression.rawValue]
        let package = PackageBytes.debian([
            ("debian-binary", Array("2.0\n".utf8)),
            ("control.tar", TarBuilder().archive),
            (name, try compressed(sample.archive, compression)),
        ])
        try unpacked(package) { result, root in
            #expect(result.refused.isEmpty)
            #expect(result.files == 3)
            #expect(result.symbolicLinks == 1)
            #expect(result.bytes == 200_007)
            #expect(content(root.appending("usr/bin/demo")) == Array("program".utf8))
        }
    }

    @Test func modesAreForReadersAndNobodyGetsSetuid() throws {
        try unpacked(debian(sample)) { _, root in
            let mode = { (path: String) in FolderContents.status(root.appending(path)).map { $0.mode & 0o7777 } }
            #expect(mode("usr") == 0o755)
            #expect(mode("usr/bin/demo") == 0o755)
            #expect(mode("usr/lib/x86_64-linux-gnu/libdemo.so") == 0o644)
        }
    }

    /// gdb warned that the program was newer than the core when files had the time of unpacking.
    @Test(arguments: [("1600000000", 1_600_000_000), ("-5", 0), ("99999999999999", Int(Int32.max))])
    func filesKeepTheirTimesWithinReason(stated: String, expected: Int) throws {
        var data = TarBuilder()
        data.addPax([("mtime", stated)])
        data.add("./usr/bin/demo", content: Array("program".utf8))
        try unpacked(debian(data)) { _, root in
            var facts = stat()
            #expect(lstat(root.appending("usr/bin/demo").string, &facts) == 0)
            #expect(facts.st_mtim.tv_sec == expected)
        }
    }

    @Test func hardLinksAreOneFile() throws {
        try unpacked(debian(sample)) { _, root in
            let one = FolderContents.status(root.appending("usr/bin/demo"))?.inode
            #expect(one != nil && one == FolderContents.status(root.appending("usr/bin/other"))?.inode)
        }
    }

    @Test func oldTopDirectoriesGoBelowUsr() throws {
        var data = sample
        data.add("./bin/sh", type: "2", linkTarget: "dash")
        data.add("./lib64/", type: "5")
        data.add("./lib64/ld.so", type: "2", linkTarget: "/lib/ld.so")
        data.add("./lib32/x", content: [1])
        data.add("./sbin", type: "2", linkTarget: "usr/sbin")
        data.add("./library", content: [1])
        try unpacked(debian(data)) { result, root in
            #expect(result.refused.isEmpty)
            for name in ["bin", "sbin", "lib", "lib64", "lib32"] {
                #expect(FolderContents.linkTarget(root.appending(name)) == "usr/\(name)")
            }
            #expect(FolderContents.names(in: root) == ["bin", "lib", "lib32", "lib64", "library", "sbin", "usr"])
            #expect(FolderContents.linkTarget(root.appending("usr/bin/sh")) == "dash")
            #expect(FolderContents.linkTarget(root.appending("usr/lib64/ld.so")) == "/lib/ld.so")
        }
        #expect(usrMerged("/lib/x86_64-linux-gnu/libc.so.6") == "/usr/lib/x86_64-linux-gnu/libc.so.6")
        #expect(usrMerged("/usr/lib/libc.so.6") == "/usr/lib/libc.so.6")
        #expect(usrMerged("/library/x") == "/library/x")
    }

    @Test func whatLeavesTheRootIsRefusedAndReported() throws {
        var data = TarBuilder()
        data.add("/etc/absolute", content: [1])
        data.add("../outside", content: [1])
        data.add("./a/../../outside", content: [1])
        data.add("./fifo", type: "6")
        data.add("./disk", type: "4")
        data.add("./tty", type: "3")
        data.add("./steal", type: "1", linkTarget: "/etc/passwd")
        data.add("./steal2", type: "1", linkTarget: "../../etc/passwd")
        data.add("./nothing", type: "1", linkTarget: "./nowhere")
        data.add("./good", content: [1])
        try unpacked(debian(data)) { result, root in
            #expect(
                result.refused.map(\.reason) == [
                    .absolutePath, .leavesTheRoot, .leavesTheRoot, .isSpecial, .isSpecial, .isSpecial, .absolutePath,
                    .leavesTheRoot, .linkLeavesPackage,
                ])
            #expect(result.refused.first?.path == "/etc/absolute")
            #expect(FolderContents.names(in: root) == ["bin", "good", "lib", "lib64", "sbin", "usr"])
            #expect(FolderContents.names(in: root.removingLastComponent()) == ["file", "root"])
        }
    }

    @Test func symbolicLinksAreNeverFollowed() throws {
        try ScratchDirectory.with { outside in
            let victim = try FolderContents.write([1, 2, 3], to: outside.appending("victim"))
            var data = TarBuilder()
            data.add("./door", type: "2", linkTarget: outside.string)
            data.add("./door/planted", content: [1])
            data.add("./door/sub/", type: "5")
            data.add("./window", type: "2", linkTarget: victim.string)
            data.add("./window", content: [9, 9, 9])
            data.add("./copy", type: "1", linkTarget: "./window")
            data.add("./through", type: "1", linkTarget: "./door/victim")
            try unpacked(debian(data)) { result, root in
                #expect(
                    result.refused.map(\.reason) == [
                        .throughLink, .throughLink, .alreadyThere, .linkLeavesPackage, .linkLeavesPackage,
                    ])
                #expect(FolderContents.linkTarget(root.appending("door")) == outside.string)
                #expect(FolderContents.names(in: outside) == ["victim"])
                #expect(content(victim) == [1, 2, 3])
            }
        }
    }

    @Test func namesThatAreNotUTF8AreKept() throws {
        var data = TarBuilder()
        data.add([0x2e, 0x2f, 0xe9, 0x74, 0xe9], content: [5])
        try unpacked(debian(data)) { result, root in
            #expect(result.files == 1)
            let name = FilePath(platformString: [CChar(bitPattern: 0xe9), 0x74, CChar(bitPattern: 0xe9), 0])
            #expect(content(root.pushing(name)) == [5])
        }
    }

    @Test func limitsHold() {
        expectError(.tooManyEntries, debian(sample), limits: ExtractionLimits(maxEntries: 3))
        expectError(.tooManyBytes, debian(sample), limits: ExtractionLimits(maxBytes: 100_000))
        expectError(.tooManyBytes, debian(sample), limits: ExtractionLimits(maxFileBytes: 100_000))
        var huge = TarBuilder()
        huge.addGNUSparse("./huge", realSize: 1 << 40, content: [1])
        expectError(.tooManyBytes, debian(huge))
    }

    @Test func longAndDeepPathsAreRefused() throws {
        var data = TarBuilder()
        data.add("./" + String(repeating: "a/", count: 49), content: [])
        data.addPax([("path", "./" + String(repeating: "n", count: 256))])
        data.add("x", content: [1])
        try unpacked(debian(data), limits: ExtractionLimits(maxDepth: 20)) { result, _ in
            #expect(result.refused.map(\.reason) == [.pathTooLong, .pathTooLong])
        }
    }

    @Test func brokenPackagesAreToldApart() throws {
        expectError(.notAnArchive, [])
        expectError(.notAnArchive, noise(1000))
        expectError(.damaged, Array("!<arch>\n".utf8))
        expectError(.damaged, Array("!<arch>\n".utf8) + noise(100))
        expectError(.truncated, Array("!<arch>\n".utf8) + noise(30))
        expectError(.damaged, PackageBytes.debian([("debian-binary", [0x32])]))
        expectError(.truncated, Array("!<arch>\n".utf8) + PackageBytes.arHeader("data.tar", size: 9_000_000_000))
        expectError(.truncated, Array(debian(sample).prefix(100_000)))
        let cut = try Array(compressed(sample.archive, .xz).prefix(100_000))
        expectError(.truncated, PackageBytes.debian([("data.tar.xz", cut)]))
    }

    @Test func controlStanzaIsRead() throws {
        let control = "Package: demo\nVersion: 1:2.0-3\n"
        try withFile(PackageBytes.debian(control: control, data: sample)) { file, _ in
            let stanza = try debianControl(of: file)
            #expect(stanza == control)
        }
    }
}
