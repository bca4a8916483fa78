import Archives
import CrashModel
import Packages
import ResolveStage
import SystemPackage
import TestFixtures
import Testing

/// Packages of elfutils' own tests: RPMs of two generations and a Debian package with its `-dbgsym`. The data lies
/// beside the checkout; where it is absent these tests skip themselves.
@Suite(.enabled(if: FixtureFolder.path != nil))
struct ElfutilsPackagesTests {
    private func resolution(rpms folder: String, path: String, buildID: String) throws -> Resolution {
        let rpms = try #require(FixtureFolder.path).appending("elfutils/rpms").appending(folder)
        return try ScratchDirectory.with { directory in
            let made = try MadeRelease("fedora-30-x86_64", in: directory)
            let builder = try PackageIndexBuilder(for: made.mirror)
            for file in try names(of: rpms) where file.hasSuffix(".rpm") {
                let name = String(file.dropLast("-1.0-2.x86_64.rpm".count))
                let digest = try packageDigest(of: rpms.appending(file))
                let package = IndexedPackage(
                    nevra: try NEVRA(name: name, version: "1.0", release: "2", architecture: "x86_64"),
                    sha256: digest.sha256, location: file, byteCount: digest.byteCount,
                    kind: PackageKind(packageName: name), source: SourcePackage(name: "hello2", version: "1.0-2"))
                try builder.add(package, files: try scanPackage(rpms.appending(file)).paths)
            }
            _ = try builder.publish()
            let module = LoadedModule(
                path: path, buildID: try BuildID(buildID), start: 0, end: 1, kind: .executable)
            return try resolve(
                crash([module], reported: ReportedCrash(osRelease: "Fedora release 30 (Thirty)")),
                catalog: shippedCatalog(), indexes: made.indexes)
        }
    }

    private func debugFiles(_ resolution: Resolution) -> [String: [String]] {
        Dictionary(
            resolution.packages.filter { $0.role == .debuginfo }.map { ($0.nevra.name, $0.files ?? []) }
        ) { first, _ in first }
    }

    @Test func aFedoraProgramHasItsDebuginfoAndTheSharedDWARFOfItsSibling() throws {
        let found = try resolution(
            rpms: "fedora30", path: "/usr/local/bin/hello2", buildID: "41a236eb667c362a1c4196018cc4581e09722b1b")
        #expect(found.modules.map(\.status) == [.complete])
        #expect(found.modules[0].binary?.nevra.name == "hello2-two")
        #expect(
            debugFiles(found) == [
                "hello2-two-debuginfo": [
                    "/usr/lib/debug/.build-id/41/a236eb667c362a1c4196018cc4581e09722b1b.debug",
                    "/usr/lib/debug/usr/local/bin/hello2-1.0-2.x86_64.debug",
                ],
                "hello2-debuginfo": ["/usr/lib/debug/.dwz/hello2-1.0-2.x86_64"],
            ])
    }

    @Test func anEnterpriseLinux7ProgramHasItsLinksInTheDebuginfoOnly() throws {
        for (name, buildID) in [
            ("hello", "f0aa15b8aba4f3c28cac3c2a73801fefa644a9f2"),
            ("hello2", "bc1febfd03ca05e030f0d205f7659db29f8a4b30"),
        ] {
            let found = try resolution(rpms: "rhel7", path: "/usr/local/bin/\(name)", buildID: buildID)
            #expect(found.modules.map(\.status) == [.complete])
            #expect(found.modules[0].binary?.nevra.name == (name == "hello" ? "hello2" : "hello2-two"))
            let files = debugFiles(found)["hello2-debuginfo"] ?? []
            #expect(files.contains("/usr/lib/debug/usr/local/bin/\(name).debug"))
            #expect(files.contains("/usr/lib/debug/.dwz/hello2-1.0-2.x86_64"))
        }
    }

    @Test func aDebianProgramHasTheDebugFileOfItsDbgsymPackage() throws {
        let debs = try #require(FixtureFolder.path).appending("elfutils/debs")
        try ScratchDirectory.with { directory in
            let made = try MadeRelease(in: directory)
            let builder = try PackageIndexBuilder(for: made.mirror)
            for name in ["hithere_1.0-1_amd64.deb", "hithere-dbgsym_1.0-1_amd64.ddeb"] {
                let file = debs.appending(name)
                let digest = try packageDigest(of: file)
                let package = try IndexedPackage(
                    debianControl: try debianControl(of: file), sha256: digest.sha256, location: name,
                    byteCount: digest.byteCount)
                try builder.add(package, files: try scanPackage(file).paths)
            }
            _ = try builder.publish()
            let module = LoadedModule(
                path: "/usr/bin/hithere", buildID: try BuildID("f17a29b5a25bd4960531d82aa6b07c8abe84fa66"), start: 0,
                end: 1, kind: .executable)
            let found = try resolve(crash([module]), catalog: shippedCatalog(), indexes: made.indexes)
            #expect(found.modules.map(\.status) == [.complete])
            #expect(found.modules[0].debuginfo?.nevra.name == "hithere-dbgsym")
        }
    }
}
