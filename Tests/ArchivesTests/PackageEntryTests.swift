import Archives
import SystemPackage
import TestFixtures
import Testing

@Suite struct PackageEntryTests {
    @Test func entriesOfADebianPackageAreVisitedWithTheirContents() throws {
        var data = TarBuilder()
        data.add("./lib/libdemo.so", content: [UInt8](repeating: 7, count: 300_000), mode: 0o755)
        data.add("./usr/share/", type: "5")
        data.add("./usr/share/link", type: "2", linkTarget: "../lib")
        data.add("./../evil", content: [1])
        data.add("./usr/hard", type: "1", linkTarget: "./lib/libdemo.so")
        try withFile(PackageBytes.debian(control: "", data: data)) { file, _ in
            var entries: [PackageEntry] = []
            var starts: [Int] = []
            let refused = try forEachPackageEntry(of: file) { (entry, payload) throws(ArchiveError) in
                entries.append(entry)
                if entry.kind == .regular { starts.append(try payload.prefix(65_536).count) }
            }
            #expect(refused.map(\.reason) == [.leavesTheRoot])
            #expect(entries.map(\.path) == ["/lib/libdemo.so", "/usr/share", "/usr/share/link", "/usr/hard"])
            #expect(entries.map(\.mergedPath.string).first == "/usr/lib/libdemo.so")
            #expect(entries.map(\.kind) == [.regular, .directory, .symbolicLink, .hardLink])
            #expect(entries.map(\.linkTarget) == [nil, nil, "../lib", "/lib/libdemo.so"])
            #expect(entries.first?.byteCount == 300_000)
            #expect(entries.first?.isExecutable == true)
            #expect(starts == [65_536])
        }
    }

    @Test func visitorsErrorEndsTheVisit() throws {
        var data = TarBuilder()
        data.add("./a", content: [1])
        data.add("./b", content: [1])
        try withFile(PackageBytes.debian(control: "", data: data)) { file, _ in
            var visits = 0
            #expect(throws: ArchiveError(.damaged, "enough")) {
                try forEachPackageEntry(of: file) { (_, _) throws(ArchiveError) in
                    visits += 1
                    throw ArchiveError(.damaged, "enough")
                }
            }
            #expect(visits == 1)
        }
    }

    private var cpio: [UInt8] {
        PackageBytes.cpio([
            .init("./usr/bin/one", mode: 0o100755, inode: 7, links: 2),
            .init("./usr/bin/two", mode: 0o100755, content: Array("shared content".utf8), inode: 7, links: 2),
            .init("./usr/lib/.build-id/ab/cdef", mode: 0o120777, content: Array("../../../bin/one".utf8), inode: 8),
            .init("./bin/three", mode: 0o106755, content: [3], inode: 9),
        ])
    }

    @Test(arguments: realCompressions)
    func rpmPayloadUnpacks(_ compression: ArchiveCompression) throws {
        try withFile(PackageBytes.rpm(payload: compressed(cpio, compression))) { file, folder in
            let root = folder.appending("root")
            let result = try unpackPackage(file, into: root)
            #expect(result.refused.isEmpty)
            #expect(result.files == 3)
            #expect(content(root.appending("usr/bin/one")) == Array("shared content".utf8))
            #expect(content(root.appending("usr/bin/two")) == Array("shared content".utf8))
            #expect(FolderContents.status(root.appending("usr/bin/three")).map { $0.mode & 0o7777 } == 0o755)
            #expect(
                FolderContents.linkTarget(root.appending("usr/lib/.build-id/ab/cdef")) == "../../../bin/one")
        }
    }

    @Test func contentOfHardLinksInRPMStandsInTheLast() throws {
        try withFile(PackageBytes.rpm(payload: cpio)) { file, _ in
            var entries: [PackageEntry] = []
            try forEachPackageEntry(of: file) { entry, _ in entries.append(entry) }
            #expect(entries.map(\.kind) == [.regular, .hardLink, .symbolicLink, .regular])
            #expect(entries.map(\.byteCount).prefix(2) == [0, 14])
            #expect(entries[1].linkTarget == "/usr/bin/one")
        }
    }

    @Test func payloadOfUnknownFormatIsUnsupported() throws {
        // RPM v6 writes "stripped" cpio headers, whose names stand in the package's header only.
        let stripped = Array("07070X00000000".utf8) + [0, 0] + [UInt8](repeating: 1, count: 600)
        for payload in [stripped, try compressed(stripped, .zstd), noise(2000)] {
            try withFile(PackageBytes.rpm(payload: payload)) { file, folder in
                _ = #expect {
                    try unpackPackage(file, into: folder.appending("root"))
                } throws: {
                    ($0 as? ArchiveError)?.code == .unsupported
                }
            }
        }
    }

    @Test func truncatedRPMIsReported() throws {
        let bytes = PackageBytes.rpm(
            payload: try compressed(PackageBytes.cpio([.init("./x", content: noise(100_000))]), .zstd))
        for kept in [60, 100, 5000, 90_000] {
            try withFile(bytes.prefix(kept).map(\.self)) { file, folder in
                _ = #expect {
                    try unpackPackage(file, into: folder.appending("root"))
                } throws: {
                    [.truncated, .unsupported, .damaged].contains(($0 as? ArchiveError)?.code)
                }
            }
        }
    }
}
