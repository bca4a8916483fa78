import CrashModel
import Distributions
import SystemPackage
import TestFixtures
import Testing

/// A folder of plugins and keys that a test fills.
struct PluginFolder {
    let folder: FilePath

    static func with<Result>(
        _ plugins: [String: String], keys: [String] = [], _ body: (PluginFolder) throws -> Result
    ) throws -> Result {
        try ScratchDirectory.with { folder in
            for name in ["plugins", "gpg"] { try DebianArchive.makeDirectories(folder.appending(name)) }
            for (name, text) in plugins {
                try FolderContents.write(text.utf8, to: folder.appending("plugins").appending(name))
            }
            for name in keys {
                let path = folder.appending("gpg").appending(name)
                try DebianArchive.makeDirectories(path.removingLastComponent())
                try FolderContents.write("key".utf8, to: path)
            }
            return try body(PluginFolder(folder: folder))
        }
    }

    func catalog() throws -> DistributionCatalog {
        try DistributionCatalog(plugins: folder.appending("plugins"), keys: folder.appending("gpg"))
    }

    var survey: PluginSurvey { PluginSurvey(plugins: folder.appending("plugins"), keys: folder.appending("gpg")) }
}

/// A plugin that others inherit from.
private let base = """
    distribution: base
    display-name: Base Linux
    package-format: rpm
    versions: ['7', '8', rawhide]
    architectures: [x86_64]
    recognise:
      release-text: ['^Base Linux (?:release )?([0-9]+)']
      os-release: { id: [base], version: '^([0-9]+)' }
      package: ['\\.base([0-9]+)']
      examples: { release: { 'Base Linux 7': '7', 'Base Linux 9 (Rawhide)': rawhide } }
    debugger: { package: gdb, executable: /usr/bin/gdb }
    kernel-debugger: { package: crash, executable: /usr/bin/crash }
    keys: [base/$VER.asc]
    mirror: lazy
    repositories:
      - name: main
        path: $VER/os
        mirrors: [https://one.example.org/base, rsync://two.example.org/base]
        rate-limit: 5 MiB
      - name: rawhide
        versions: [rawhide]
        path: rawhide
        mirrors: [ftp://three.example.org/base]
        mirror: full
        keep: 3

    """

private let baseKeys = ["base/7.asc", "base/8.asc", "base/rawhide.asc"]

/// A company's packages for a distribution: five lines.
private let fiveLines = """
    inherits: base
    repositories:
      - name: acme
        mirrors: [https://packages.example.com/base-$VER-$ARCH]
        keys: [acme/packages.asc]
    """

@Suite struct PluginInheritance {
    private func catalog(_ more: [String: String], keys: [String] = ["acme/packages.asc"]) throws -> DistributionCatalog
    {
        try PluginFolder.with(more.merging(["base.yaml": base]) { $1 }, keys: baseKeys + keys) { try $0.catalog() }
    }

    private func fault(_ more: [String: String]) throws -> CatalogError {
        try #require(throws: CatalogError.self) { try catalog(more) }
    }

    @Test func fiveLinesAddAVendorsRepositoryToTheDistributionItself() throws {
        let catalog = try catalog(["acme.yaml": fiveLines])
        #expect(catalog.distributions.map(\.name) == ["base"])
        let repositories = catalog.distributions[0].repositories(for: try ReleaseID("base-8-x86_64"))
        #expect(repositories.map(\.name) == ["main", "acme"])
        let acme = try #require(repositories.last)
        #expect(acme.mirrors == [.address("https://packages.example.com/base-8-x86_64")])
        #expect(acme.keys.map { $0.lastComponent?.string } == ["packages.asc"])
        #expect(acme.mode == .lazy && acme.checksSignatures)
        #expect(repositories[0].keys.map { $0.lastComponent?.string } == ["8.asc"])
        #expect(catalog.distributions[0].files == ["base.yaml", "acme.yaml"])
    }

    @Test func fiveLinesMakeADistributionOfItsOwn() throws {
        let derived = """
            inherits: base
            distribution: acmelinux
            display-name: Acme Linux
            repositories:
              - { name: acme, mirrors: [/srv/acme/$VER], keys: [acme/packages.asc] }
            """
        let catalog = try catalog(["acmelinux.yaml": derived])
        #expect(catalog.distributions.map(\.name) == ["acmelinux", "base"])
        let acme = try #require(catalog.distribution(named: "acmelinux"))
        let repositories = acme.repositories(for: try ReleaseID("acmelinux-8-x86_64"))
        #expect(repositories.map(\.name) == ["main", "acme"])
        #expect(acme.kernelDebugger?.executable == "/usr/bin/crash")
        #expect(acme.displayName(of: try Release("acmelinux-8")) == "Acme Linux 8")
        #expect(catalog.distribution(named: "base")?.repositories(for: try ReleaseID("base-8-x86_64")).count == 1)
    }

    @Test func kernelsDebuggerMayBeTheHostsOwn() throws {
        let more = "inherits: base\nkernel-debugger: { host: true, executable: /opt/crash/bin/crash }\n"
        let debugger = try #require(try catalog(["site.yaml": more]).distributions.first?.kernelDebugger)
        #expect(debugger == DebuggerPackage(package: "crash", executable: "/opt/crash/bin/crash", isHost: true))
        let named = more.replacing("host: true", with: "host: false, package: crash")
        #expect(try catalog(["site.yaml": named]).distributions.first?.kernelDebugger?.isHost == false)
    }

    @Test(arguments: [
        ("kernel-debugger: { host: false, executable: /usr/bin/crash }", "kernel-debugger.package"),
        ("kernel-debugger: { host: perhaps, executable: /usr/bin/crash }", "kernel-debugger.host"),
        ("kernel-debugger: { host: true, executable: ../crash }", "kernel-debugger.executable"),
        ("kernel-debugger: { host: true }", "kernel-debugger.executable"),
        ("debugger: { host: true, executable: /usr/bin/gdb }", "debugger.host"),
    ])
    func debuggersThatCannotBeMeantAreRefused(line: String, key: String) throws {
        #expect(try fault(["site.yaml": "inherits: base\n\(line)\n"]).key == key)
    }

    @Test func derivedDistributionIsRecognisedByItsOwnNameAndLeavesItsParentsCrashesAlone() throws {
        let catalog = try catalog(["a.yaml": "inherits: base\ndistribution: acme\ndisplay-name: Acme (tm) Linux\n"])
        for (text, release) in [
            ("Base Linux release 8", "base-8"), ("ID=base\nVERSION_ID=7", "base-7"),
            ("ID=acme\nVERSION_ID=7.2", "acme-7"),
            ("Acme (tm) Linux release 8.1 (Anvil)", "acme-8"), ("ID=acme\nVERSION=rawhide", "acme-rawhide"),
        ] {
            #expect(catalog.detectRelease(ReportedCrash(osRelease: text))?.release == (try Release(release)))
        }
        #expect(catalog.detectRelease(ReportedCrash(package: "bash-1-1.base8"))?.release == (try Release("base-8")))
    }

    @Test func keysThatAPluginWritesReplaceItsParents() throws {
        let text = """
            inherits: base
            versions: ['8']
            mirror: full
            enabled: false
            keys: [other.asc]
            recognise: { package: ['\\.mine([0-9]+)'] }
            """
        let base = try #require(try catalog(["more.yaml": text]).distribution(named: "base"))
        #expect(base.versions.map(\.version) == ["8"] && !base.isEnabled)
        let main = try #require(base.repositories(for: try ReleaseID("base-8-x86_64")).first)
        #expect(main.mode == .full && main.keys.map { $0.lastComponent?.string } == ["other.asc"])
        #expect(main.bytesPerSecond == 5 << 20)
    }

    @Test func repositoryOfTheSameNameIsChangedKeyByKeyAndOthersCanBeRemoved() throws {
        let text = """
            inherits: base
            repositories:
              - { name: main, mirrors: [/srv/near], rate-limit: 100 kB, keep: 9 }
              - { name: rawhide, remove: true }
            """
        let base = try #require(try catalog(["near.yaml": text]).distribution(named: "base"))
        let main = try #require(base.repositories(for: try ReleaseID("base-7-x86_64")).first)
        #expect(main.mirrors == [.address("/srv/near/7/os")])
        #expect(main.bytesPerSecond == 100_000 && main.keptVersions == 9)
        #expect(base.repositories(for: try ReleaseID("base-rawhide-x86_64")).map(\.name) == ["main"])
    }

    @Test func chainsAndSeveralAdditionsAreTakenInOrder() throws {
        let catalog = try catalog([
            "child.yaml": "distribution: child\ninherits: base\n",
            "grand.yaml": "distribution: grand\ninherits: child\n",
            "x1.yaml": "inherits: child\nrepositories: [{ name: x, mirrors: [/srv/x1], keys: [acme/packages.asc] }]",
            "x2.yaml": "inherits: child\nrepositories: [{ name: x, mirrors: [/srv/x2] }]",
        ])
        let grand = try #require(catalog.distribution(named: "grand"))
        let repositories = grand.repositories(for: try ReleaseID("grand-8-x86_64"))
        #expect(repositories.map(\.name) == ["main", "x"])
        #expect(repositories[1].mirrors == [.address("/srv/x2")])
        #expect(grand.files == ["grand.yaml", "child.yaml", "base.yaml", "x1.yaml", "x2.yaml"])
        #expect(
            catalog.detectRelease(ReportedCrash(osRelease: "ID=grand\nVERSION_ID=8"))?.release.distribution == "grand")
    }

    @Test func unknownParentIsRefusedWithItsLine() throws {
        let error = try fault(["a.yaml": "# ours\ninherits: bass\n"])
        #expect(error.description.hasPrefix("a.yaml:2: inherits: no plugin describes bass; known are base"))
    }

    @Test func inheritingFromItselfIsRefusedWithAdvice() throws {
        let error = try fault(["a.yaml": "distribution: me\ninherits: me\n"])
        #expect(error.line == 2 && error.file == "a.yaml" && error.reason.contains("leave 'distribution' out"))
    }

    @Test func circleIsRefusedAndShown() throws {
        let error = try fault([
            "a.yaml": "distribution: a\ninherits: b\n", "b.yaml": "distribution: b\n\ninherits: c\n",
            "c.yaml": "distribution: c\ninherits: a\n",
        ])
        #expect(error.line == 2 && error.key == "inherits" && error.reason.contains("a → b → c → a"))
    }

    @Test func removingWhatIsNotThereIsRefusedWithItsLine() throws {
        let error = try fault(["a.yaml": "inherits: base\nrepositories:\n  - name: mian\n    remove: true\n"])
        #expect(error.line == 4 && error.key == "repositories.remove" && error.reason.contains("mian"))
    }

    @Test func faultInWhatWasInheritedNamesTheParentsFile() throws {
        let error = try fault(["a.yaml": "inherits: base\npackage-format: deb\n"])
        #expect(error.file == "base.yaml" && error.key == "repositories.suite" && error.line == 16)
    }

    @Test func faultInAnAdditionNamesItsOwnFile() throws {
        let error = try fault(["a.yaml": "inherits: base\nrepositories:\n  - name: main\n    keep: many\n"])
        #expect(error.file == "a.yaml" && error.line == 4 && error.key == "repositories.keep")
    }

    @Test func derivingWithFewerVersionsIsFineThoughRepositoriesNameOthers() throws {
        let catalog = try catalog(["a.yaml": "distribution: a\ninherits: base\nversions: ['8']\n"])
        #expect(catalog.distribution(named: "a")?.versions.map(\.version) == ["8"])
    }
}
