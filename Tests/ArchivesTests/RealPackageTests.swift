import Archives
import SystemPackage
import TestFixtures
import Testing

/// Packages of Debian, Fedora, CentOS and rpm's own tests. They lie beside the checkout on the project's machines and are
/// never copied into it; the suite skips itself where they are absent.
@Suite(.enabled(if: FixtureFolder.path != nil)) struct RealPackageTests {
    private static func packages(_ folder: String) -> [String] {
        guard let fixtures = FixtureFolder.path else { return [] }
        return FolderContents.names(in: fixtures.appending(folder))
            .filter { $0.hasSuffix(".deb") || $0.hasSuffix(".ddeb") || $0.hasSuffix(".rpm") }
            .map { "\(folder)/\($0)" }
    }

    /// Those of moderate size: the others differ in nothing but their length.
    static let all: [String] = {
        let folders = ["debs", "elfutils/debs", "elfutils/rpms/fedora30", "elfutils/rpms/rhel7", "signed-rpms", "rpm"]
        let left = ["libc6-dbg", "python3.11-dbg", "corrupted"]
        return folders.flatMap { packages($0) }.filter { name in !left.contains { name.contains($0) } }
    }()

    private func fixture(_ name: String) throws -> FilePath {
        try #require(FixtureFolder.path).appending(name)
    }

    @Test(arguments: all)
    func packageUnpacksWholeAndIsListedAlike(_ name: String) throws {
        let package = try fixture(name)
        try ScratchDirectory.with { root in
            let unpacked = try unpackPackage(package, into: root)
            #expect(unpacked.refused.isEmpty)
            var missing: [String] = []
            var bytes: Int64 = 0
            try forEachPackageEntry(of: package) { (entry, _) throws(ArchiveError) in
                bytes += entry.byteCount
                let path = root.appending(entry.mergedPath.components)
                if FolderContents.status(path) == nil { missing.append(entry.path.string) }
            }
            #expect(missing.isEmpty)
            #expect(bytes == unpacked.bytes)
        }
    }

    @Test func debianLibcIsWhereAMergedSystemHasIt() throws {
        try ScratchDirectory.with { root in
            try unpackPackage(try fixture("debs/libc6_2.36-9+deb12u14_amd64.deb"), into: root)
            let libc = try FolderContents.read(root.appending("usr/lib/x86_64-linux-gnu/libc.so.6"))
            #expect(libc.starts(with: [0x7f, 0x45, 0x4c, 0x46]))
            #expect(FolderContents.status(root.appending("lib64/ld-linux-x86-64.so.2")) != nil)
        }
        let control = try debianControl(of: fixture("debs/libc6_2.36-9+deb12u14_amd64.deb"))
        #expect(control.hasPrefix("Package: libc6\n"))
    }

    @Test func corruptedRPMIsReported() throws {
        let package = try fixture("rpm/hello-2.0-1.x86_64-corrupted.rpm")
        try ScratchDirectory.with { root in
            let result = Result { () throws(ArchiveError) in try unpackPackage(package, into: root) }
            // Its header is what is corrupt, which only the signature check of others can tell.
            if case .failure(let error) = result { #expect([.damaged, .truncated, .unsupported].contains(error.code)) }
        }
    }
}
