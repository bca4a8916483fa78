import CrashModel
import RPMRepodata
import Subprocess
import SystemPackage
import TestFixtures
import Testing

@Suite struct RepodataTests {
    private static let digest = String(repeating: "ab", count: 32)

    private static func primary(_ packages: [String]) -> String {
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<metadata xmlns=\"http://linux.duke.edu/metadata/common\" "
            + "xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\">\(packages.joined())</metadata>"
    }

    private static func package(
        _ name: String, digest: String = digest, location: String = "a.rpm", more: String = ""
    ) -> String {
        """
        <package type="rpm"><name>\(name)</name><arch>x86_64</arch><version epoch="2" ver="1.0" rel="3.fc40"/>
        <checksum type="sha256" pkgid="YES">\(digest)</checksum><size package="10" installed="1" archive="1"/>
        <location href="\(location)"/><format><rpm:sourcerpm>made-1.0-3.fc40.src.rpm</rpm:sourcerpm>\(more)
        <rpm:provides><rpm:entry name="other" epoch="9"/></rpm:provides><file>/usr/bin/x</file></format></package>
        """
    }

    private static func lists(_ packages: [(id: String, files: [String])]) -> String {
        let inner = packages.map { package in
            "<package pkgid=\"\(package.id)\" name=\"n\" arch=\"x86_64\"><version epoch=\"0\" ver=\"1\" rel=\"1\"/>"
                + package.files.map { "<file>\($0)</file>" }.joined()
                + "<file type=\"dir\">/usr/lib/d</file><file type=\"ghost\">/usr/lib/g</file></package>"
        }
        return "<filelists xmlns=\"http://linux.duke.edu/metadata/filelists\">\(inner.joined())</filelists>"
    }

    private func read(
        _ primary: String, _ lists: String?, limits: RepodataLimits = RepodataLimits()
    ) throws -> (packages: [RepodataPackage], summary: RepodataSummary) {
        try ScratchDirectory.with { folder in
            let file = try FolderContents.write(primary.utf8, to: folder.appending("primary.xml"))
            let files = try lists.map { try FolderContents.write($0.utf8, to: folder.appending("filelists.xml")) }
            var found: [RepodataPackage] = []
            let summary = try readRepodata(primary: file, fileLists: files, limits: limits) { found.append($0) }
            return (found, summary)
        }
    }

    private func refusal(_ body: () throws -> Void) -> RepodataError? {
        do {
            try body()
            return nil
        } catch {
            return error as? RepodataError
        }
    }

    @Test func packageHasItsIdentityItsFilesAndItsSource() throws {
        let found = try read(
            Self.primary([Self.package("made-libs", location: "Packages/m/made &amp; co.rpm")]),
            Self.lists([(Self.digest, ["/usr/lib64/libmade.so.1", "/usr/share/a&lt;b"])]))
        let package = try #require(found.packages.first)
        #expect(package.nevra.description == "made-libs-2:1.0-3.fc40.x86_64")
        #expect(package.sha256 == Self.digest && package.byteCount == 10)
        #expect(package.location == "Packages/m/made & co.rpm")
        #expect(package.sourceRPM == "made-1.0-3.fc40.src.rpm")
        #expect(package.files == ["/usr/lib64/libmade.so.1", "/usr/share/a<b"])
        #expect(found.summary.packageCount == 1 && found.summary.unusableCount == 0)
    }

    @Test func realRepositoriesAreReadInEveryCompressionAsRpmListsThem() async throws {
        let folder = try ScratchDirectory()
        defer { folder.remove() }
        let workshop = try RPMWorkshop(in: folder.path.appending("workshop"))
        let made = try await workshop.buildCrashdemo(version: "2.4.1", release: "1.fc40", epoch: 1)
        for compression in ["gz", "xz", "zstd"] {
            try await RPMWorkshop.describe(
                workshop.packages,
                // Debian's createrepo_c has no zstd.
                options: ["--no-database", "--general-compress-type", compression == "zstd" ? "gz" : compression])
            if compression == "zstd" {
                let script = "for file in repodata/*.gz; do gzip -dc $file | zstd -q > ${file%.gz}.zst; rm $file; done"
                let packed = try await run(
                    .name("sh"), arguments: ["-ec", script], workingDirectory: workshop.packages, output: .discarded)
                #expect(packed.terminationStatus.isSuccess)
            }
            let repodata = workshop.packages.appending("repodata")
            let names = FolderContents.names(in: repodata)
            let primary = try #require(names.first { $0.contains("-primary.xml") })
            let lists = try #require(names.first { $0.contains("-filelists.xml") })
            var found: [String: [String]] = [:]
            try readRepodata(primary: repodata.appending(primary), fileLists: repodata.appending(lists)) { package in
                found[package.location] = package.files.sorted()
            }
            #expect(found.count == made.count)
            for file in made {
                let listed = try await run(
                    .name("rpm"),
                    arguments: [
                        "-qp", "--nosignature", "--qf", "[%{FILEMODES:perms} %{FILENAMES}\\n]", file.string,
                    ],
                    output: .string(limit: 1 << 20))
                let files = listed.standardOutput.split(separator: "\n").filter { $0.first != "d" }
                    .compactMap { $0.split(separator: " ", maxSplits: 1).last.map(String.init) }.sorted()
                #expect(found[file.lastComponent?.string ?? ""] == files)
            }
        }
    }

    @Test func listsInAnotherOrderAreJoinedAllTheSame() throws {
        let ids = (0..<40).map { number in String(repeating: number < 16 ? "0" : "1", count: 63) + hex(number % 16) }
        let unique = Array(Set(ids)).sorted()
        let found = try read(
            Self.primary(unique.map { Self.package("p", digest: $0) }),
            Self.lists(unique.reversed().map { ($0, ["/usr/bin/\($0)"]) }))
        #expect(found.packages.map(\.files) == unique.map { ["/usr/bin/\($0)"] })
    }

    private func hex(_ number: Int) -> String { String(number, radix: 16) }

    @Test func listsInAnotherOrderDoNotFillTheMemory() throws {
        var limits = RepodataLimits()
        limits.waitingBytes = 4096
        let others = (0..<100).map { ("\($0)", ["/usr/bin/\($0)"]) }
        let refused = refusal {
            _ = try read(Self.primary([Self.package("p")]), Self.lists(others), limits: limits)
        }
        guard case .tooLarge = refused else { throw Failure(found: refused) }
    }

    private struct Failure: Error { let found: RepodataError? }

    @Test func packageThatTheListsDoNotNameHasNoFiles() throws {
        #expect(try read(Self.primary([Self.package("p")]), Self.lists([])).packages.first?.files == [])
        #expect(try read(Self.primary([Self.package("p")]), nil).packages.first?.files == [])
    }

    @Test func packageWithoutUsableIdentityIsCountedAndLeftOut() throws {
        let found = try read(
            Self.primary([
                Self.package("a b"), Self.package("good"), Self.package("x", digest: "abc"),
                Self.package("y", location: ""),
            ]), nil)
        #expect(found.packages.map(\.nevra.name) == ["good"] && found.summary.unusableCount == 3)
    }

    @Test func baseOfALocationElsewhereIsNotFollowed() throws {
        let text = Self.primary([Self.package("p")])
            .split(separator: "<location ").joined(separator: "<location xml:base=\"http://elsewhere.example/\" ")
        #expect(try read(text, nil).summary.unusableCount == 1)
    }

    @Test(arguments: [
        "<!DOCTYPE metadata [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><metadata>&a;</metadata>",
        "<!DOCTYPE metadata [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;\">]><metadata>&b;</metadata>",
        "<html><body>Not found</body></html>", "<metadata><package>", "", "no markup at all",
        "<metadata>\u{1}</metadata>",
    ])
    func whatIsNoMetadataIsRefused(_ text: String) throws {
        let refused = refusal { _ = try read(text, nil) }
        guard case .malformed = refused else {
            guard case .unreadable = refused else { throw Failure(found: refused) }
            return
        }
    }

    @Test func metadataCutAnywhereIsRefused() throws {
        let whole = Self.primary([Self.package("p")])
        for length in stride(from: 1, to: whole.utf8.count - 1, by: 37) {
            let refused = refusal { _ = try read(String(decoding: whole.utf8.prefix(length), as: UTF8.self), nil) }
            #expect(refused != nil, "cut at \(length)")
        }
    }

    @Test func bombStopsAtTheLimit() throws {
        var limits = RepodataLimits()
        limits.fileBytes = 100_000
        let text = Self.primary([Self.package("p", more: String(repeating: " ", count: 1_000_000))])
        guard case .tooLarge = refusal({ _ = try read(text, nil, limits: limits) }) else { throw Failure(found: nil) }
    }

    @Test func packageWithMoreFilesThanAnyHasIsRefused() throws {
        var limits = RepodataLimits()
        limits.filesPerPackage = 3
        let lists = Self.lists([(Self.digest, ["/a", "/b", "/c", "/d"])])
        let refused = refusal { _ = try read(Self.primary([Self.package("p")]), lists, limits: limits) }
        guard case .tooLarge = refused else { throw Failure(found: refused) }
    }
}
