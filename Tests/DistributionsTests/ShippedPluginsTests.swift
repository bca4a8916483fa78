import CrashModel
import Distributions
import SystemPackage
import TestFixtures
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

    @Test(arguments: [
        ("rhel-8.4-x86_64", "rhel-8-x86_64"), ("fedora-rawhide-x86_64", "fedora-rawhide-x86_64"),
        ("fedora-40-armv7hl", "fedora-40-armhfp"), ("fedora-40-i686", "fedora-40-i386"),
        ("CentOS Stream-9-x86_64", "centos-9-x86_64"), ("CentOS Linux-8-x86_64", "centos-8-x86_64"),
        ("Red Hat Enterprise Linux 8-8.4-x86_64", "rhel-8-x86_64"), ("Rocky Linux-9.3-aarch64", "rocky-9-aarch64"),
        ("Ubuntu-22.04-x86_64", "ubuntu-22.04-x86_64"), ("openSUSE Leap-15.6-x86_64", "opensuse-15.6-x86_64"),
    ])
    func releaseIDOfAClientFindsTheMirror(_ text: String, _ releaseID: String) throws {
        #expect(catalog.listed(clientReleaseID: text) == (try ReleaseID(releaseID)))
    }

    @Test(arguments: [
        "", "-", "--", "CentOS Stream-9", "CentOS Stream-9-vax", "Plan 9-4-x86_64", "fedora-12-x86_64",
        String(repeating: "a", count: 100_000) + "-9-x86_64", "CentOS Stream-9-x86_64\n",
    ])
    func releaseIDThatNoPluginListsGivesNothing(_ text: String) {
        #expect(catalog.listed(clientReleaseID: text) == nil)
    }

    @Test func releasesThatRollKeepThreeVersions() throws {
        for releaseID in ["fedora-rawhide-x86_64", "opensuse-tumbleweed-x86_64", "opensuse-tumbleweed-i386"] {
            let id = try ReleaseID(releaseID)
            let repositories = try #require(catalog.distribution(named: id.release.distribution)).repositories(for: id)
            #expect(repositories.map(\.keptVersions) == [3, 3] && repositories.map(\.isDebug) == [false, true])
        }
        let branched = try #require(catalog.distribution(named: "fedora")).repositories(
            for: try ReleaseID("fedora-43-x86_64"))
        #expect(branched.allSatisfy { $0.keptVersions == nil })
    }

    @Test func everyReleaseHasDebugSymbolsSignaturesAndBothDebuggers() throws {
        for distribution in catalog.distributions where distribution.name != "rhel" {
            #expect(distribution.kernelDebugger?.package == "crash")
            for version in distribution.versions {
                let release = try Release(distribution: distribution.name, version: version.version)
                let all = distribution.repositories(for: ReleaseID(release: release, architecture: .x86_64))
                #expect(all.contains(where: \.isDebug) && all.contains { !$0.isDebug && !$0.isOptional }, "\(release)")
                #expect(all.allSatisfy { $0.checksSignatures && !$0.keys.isEmpty }, "\(release)")
                #expect(Set(all.map(\.name)).count == all.count)
            }
        }
    }

    @Test func ubuntusOtherArchitecturesAreOnThePorts() throws {
        let ubuntu = try #require(catalog.distribution(named: "ubuntu"))
        let arm = ubuntu.repositories(for: try ReleaseID("ubuntu-24.04-aarch64"))
        #expect(arm.map(\.name) == ["ports", "ports-updates", "ports-security", "ddebs", "ddebs-updates"])
        let intel = ubuntu.repositories(for: try ReleaseID("ubuntu-24.04-x86_64"))
        #expect(intel.map(\.suite) == ["noble", "noble-updates", "noble-security", "noble", "noble-updates"])
        #expect(intel.last?.keys.first?.lastComponent == "ddebs.asc")
    }

    @Test func examplesOfTheReadmeWorkBesideTheShippedPlugins() throws {
        let readme = String(decoding: try Checkout.read("plugins/README.md"), as: UTF8.self)
        let blocks = readme.split(separator: "\n\n").filter { $0.hasPrefix("    inherits:") }
        #expect(blocks.count == 3)
        var plugins: [String: String] = [:]
        for name in ["fedora", "almalinux"] {
            plugins["\(name).yaml"] = String(decoding: try Checkout.read("plugins/\(name).yaml"), as: UTF8.self)
        }
        for (number, block) in blocks.prefix(2).enumerated() {
            let lines = block.split(separator: "\n").map { $0.dropFirst(4) }
            #expect(lines.count - (lines.contains("enabled: true") ? 1 : 0) == 5)
            plugins["own\(number).yaml"] = lines.joined(separator: "\n")
        }
        let survey = try PluginFolder.with(plugins) { $0.survey }
        #expect(survey.faults.isEmpty)
        #expect(survey.distributions.map(\.name) == ["almalinux", "fedora", "acmelinux"])
        #expect(survey.distributions[1].repositories(for: try ReleaseID("fedora-44-x86_64")).last?.name == "acme")
        #expect(survey.distributions[2].repositories(for: try ReleaseID("acmelinux-9-x86_64")).last?.name == "acme")
    }

    @Test func oneReleaseOfADistributionIsEnabledWithItsOwnKeyAlone() throws {
        let plugins = [
            "fedora.yaml": String(decoding: try Checkout.read("plugins/fedora.yaml"), as: UTF8.self),
            "own.yaml": "inherits: fedora\nenabled: true\nversions: ['44']\n",
        ]
        let fedora = try PluginFolder.with(plugins, keys: ["fedora/44-primary.asc"]) { try $0.catalog() }.distributions[
            0]
        let repositories = fedora.repositories(for: try ReleaseID("fedora-44-x86_64"))
        #expect(fedora.isEnabled && repositories.count == 6)
        let error = try #require(throws: CatalogError.self) { try PluginFolder.with(plugins) { try $0.catalog() } }
        #expect(error.description.contains("fedora/44-primary.asc"))
    }

    @Test func olderArchitecturesAreThoseThatTheReleaseHad() throws {
        let centos = try #require(catalog.distribution(named: "centos"))
        #expect(centos.repositories(for: try ReleaseID("centos-6-i386")).map(\.name) == ["base", "updates", "debug"])
        #expect(centos.repositories(for: try ReleaseID("centos-7-armhfp")).first?.name == "base7")
        #expect(centos.repositories(for: try ReleaseID("centos-9-i386")).isEmpty)
        #expect(centos.repositories(for: try ReleaseID("centos-8-x86_64")).count == 7)
        let suse = try #require(catalog.distribution(named: "opensuse"))
        let ports = suse.repositories(for: try ReleaseID("opensuse-tumbleweed-i386"))
        #expect(ports.first?.mirrors.first == .address("https://download.opensuse.org/ports/i586/tumbleweed/repo/oss"))
    }

    /// Texts that make careless patterns try again and again.
    @Test(arguments: [
        ".el1", "+el1.", "Red Hat Enterprise Linux a", " release 1", "ubuntu1.1", "~22.04.1", ".fc1.", "lp15", "1.",
    ])
    func repeatedTextDoesNotKeepThePatternsBusy(_ piece: String) {
        for prefix in ["", "Red Hat Enterprise Linux ", "Fedora ", "openSUSE ", "Ubuntu ", "a-1-1"] {
            let text = prefix + String(repeating: piece, count: 100_000)
            _ = catalog.detectRelease(ReportedCrash(package: text, osRelease: text, release: text + "!"))
        }
    }
}
