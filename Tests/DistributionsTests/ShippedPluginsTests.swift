import CrashModel
import Distributions
import SystemPackage
import Testing

/// The checkout that these tests are compiled in.
let checkout: FilePath = {
    var path = FilePath(#filePath)
    for _ in 0..<3 { path.removeLastComponent() }
    return path
}()

@Suite struct ShippedPlugins {
    let catalog: DistributionCatalog

    init() throws {
        catalog = try DistributionCatalog(plugins: checkout.appending("plugins"), keys: checkout.appending("gpg"))
    }

    @Test func allOfThemLoadAndMatchTheirExamples() {
        #expect(
            catalog.distributions.map(\.name) == [
                "almalinux", "centos", "debian", "fedora", "opensuse", "rhel", "rocky", "ubuntu",
            ])
    }

    @Test func debianNamesItsSuitesAndKeys() throws {
        let debian = try #require(catalog.distribution(named: "debian"))
        let repositories = debian.repositories(for: try ReleaseID("debian-12-x86_64"))
        #expect(repositories.map(\.suite) == ["bookworm", "bookworm-updates", "bookworm-security", "bookworm-debug"])
        #expect(repositories.allSatisfy { $0.mirrors.first == .hostAptSources })
        #expect(repositories.allSatisfy { $0.keys.count == 9 && $0.checksSignatures })
        #expect(repositories.map(\.isDebug) == [false, false, false, true])
        #expect(debian.debugger.package == "gdb")
        #expect(debian.versionOrder == .debian)
        #expect(debian.repositories(for: try ReleaseID("debian-10-x86_64")).isEmpty)
    }

    @Test func templatesAreFilledWithVersionAndArchitecture() throws {
        let fedora = try #require(catalog.distribution(named: "fedora"))
        let repositories = fedora.repositories(for: try ReleaseID("fedora-40-aarch64"))
        #expect(
            repositories.first?.mirrors.first
                == .address("https://mirrors.kernel.org/fedora/releases/40/Everything/aarch64/os"))
        #expect(!repositories.contains { $0.name.hasPrefix("rawhide") })
        #expect(repositories.filter(\.isDebug).count == 3)
    }

    @Test func minorVersionFindsTheMajorOnesMirror() throws {
        #expect(catalog.listed(try ReleaseID("rhel-8.4-x86_64")) == (try ReleaseID("rhel-8-x86_64")))
        #expect(catalog.listed(try ReleaseID("rhel-3.1-x86_64")) == nil)
    }
}
