import CrashModel
import Distributions
import SystemPackage
import TestFixtures
import Testing

/// A plugin that is right, to be spoilt line by line.
private let goodPlugin = """
    distribution: demo
    display-name: Demo Linux
    package-format: deb
    versions:
      - { version: '7', codename: seven }
      - '8'
    architectures: [x86_64, aarch64]
    recognise:
      release-text:
        - '^Demo Linux ([0-9]+)'
      os-release:
        id: [demo]
        version: '^([0-9]+)'
      package:
        - '\\.demo([0-9]+)'
      examples:
        release:
          'Demo Linux 7 (seven)': '7'
        package:
          'bash-1-2.demo8': '8'
    debugger:
      package: gdb
      executable: /usr/bin/gdb
    keys:
      - demo/key.asc
    repositories:
      - name: main
        suite: $CODENAME
        components: [main]
        mirrors:
          - host-apt-sources
          - https://demo.example.org/$VER/$ARCH/
      - name: debug
        suite: $CODENAME-debug
        components: [main]
        debug: true
        gpgcheck: false
        versions: ['7']
        mirrors: [/srv/demo]

    """

@Suite struct CatalogLoading {
    private func load(_ plugins: [String: String], keys: Bool = true) throws -> DistributionCatalog {
        try ScratchDirectory.with { folder in
            for name in ["plugins", "gpg", "gpg/demo"] { try DebianArchive.makeDirectories(folder.appending(name)) }
            if keys { try FolderContents.write("key".utf8, to: folder.appending("gpg/demo/key.asc")) }
            for (name, text) in plugins {
                try FolderContents.write(text.utf8, to: folder.appending("plugins").appending(name))
            }
            return try DistributionCatalog(plugins: folder.appending("plugins"), keys: folder.appending("gpg"))
        }
    }

    private func refusal(_ line: String, _ replacement: String) throws -> CatalogError {
        try #require(goodPlugin.contains(line))
        let parts = goodPlugin.split(separator: line, maxSplits: 1, omittingEmptySubsequences: false)
        let text = parts.joined(separator: replacement)
        return try #require(throws: CatalogError.self) { try load(["demo.yaml": text]) }
    }

    @Test func goodPluginGivesItsRepositories() throws {
        let demo = try #require(try load(["demo.yaml": goodPlugin]).distribution(named: "demo"))
        let seven = demo.repositories(for: try ReleaseID("demo-7-aarch64"))
        #expect(seven.map(\.suite) == ["seven", "seven-debug"])
        #expect(seven[0].mirrors == [.hostAptSources, .address("https://demo.example.org/7/arm64")])
        #expect(seven[0].checksSignatures && !seven[0].isDebug)
        #expect(!seven[1].checksSignatures && seven[1].isDebug)
        #expect(demo.repositories(for: try ReleaseID("demo-8-x86_64")).map(\.suite) == ["8"])
        #expect(demo.repositories(for: try ReleaseID("demo-7-s390x")).isEmpty)
        #expect(demo.displayName(of: try Release("demo-7")) == "Demo Linux 7")
    }

    @Test func unknownKeyIsRefusedWithItsLine() throws {
        let error = try refusal("    debug: true", "    debugg: true")
        #expect(error.file == "demo.yaml" && error.line == 36 && error.key == "repositories.debugg")
        #expect(error.reason.contains("known here are name, suite"))
        #expect(error.description.hasPrefix("demo.yaml:36: repositories.debugg: "))
    }

    @Test func unknownKeyAtTheTopIsRefusedWithItsLine() throws {
        let error = try refusal("package-format: deb", "package-format: deb\ncolour: red")
        #expect(error.line == 4 && error.key == "colour")
    }

    @Test func missingKeyIsNamed() throws {
        let error = try refusal("display-name: Demo Linux\n", "")
        #expect(error.key == "display-name" && error.reason.contains("missing"))
    }

    @Test func badPatternIsRefusedWithItsLine() throws {
        let error = try refusal("'^Demo Linux ([0-9]+)'", "'^Demo Linux ([0-9]+'")
        #expect(error.line == 10 && error.key == "recognise.release-text")
    }

    @Test func patternWithoutAGroupIsRefused() throws {
        let error = try refusal("'\\.demo([0-9]+)'", "'\\.demo[0-9]+'")
        #expect(error.line == 15 && error.reason.contains("group 1"))
    }

    @Test func failingExampleIsRefusedWithItsLine() throws {
        let error = try refusal("'Demo Linux 7 (seven)': '7'", "'Demo Linux 7 (seven)': '8'")
        #expect(error.line == 18 && error.key == "recognise.examples.release")
        #expect(error.reason.contains("must give 8, but the patterns give 7"))
    }

    @Test func missingKeyFileIsRefusedWithTheLineOfTheKeys() throws {
        let error = try #require(throws: CatalogError.self) { try load(["demo.yaml": goodPlugin], keys: false) }
        #expect(error.key == "keys" && error.line == 25)
        #expect(error.reason.contains("demo/key.asc"))
    }

    @Test func distributionThatIsNotEnabledNeedsNoKeysAndIsRecognised() throws {
        let text = "enabled: false\n" + goodPlugin
        let catalog = try load(["demo.yaml": text], keys: false)
        #expect(try #require(catalog.distribution(named: "demo")).isEnabled == false)
        #expect(catalog.detectRelease(ReportedCrash(osRelease: "Demo Linux 7"))?.release == (try Release("demo-7")))
    }

    @Test(arguments: [
        ("package-format: deb", "package-format: zip", 3, "package-format"),
        ("  - '8'", "  - '8 or 9'", 6, "versions"),
        ("[x86_64, aarch64]", "[x86_64, vax]", 7, "architectures"),
        ("executable: /usr/bin/gdb", "executable: gdb", 23, "debugger.executable"),
        ("mirrors: [/srv/demo]", "mirrors: ['gopher://demo']", 39, "repositories.mirrors"),
        ("mirrors: [/srv/demo]", "mirrors: []", 39, "repositories.mirrors"),
        ("    suite: $CODENAME\n", "", 27, "repositories.suite"),
        ("gpgcheck: false", "gpgcheck: perhaps", 37, "repositories.gpgcheck"),
        ("    id: [demo]", "    id: demo", 12, "recognise.os-release.id"),
    ])
    func faultIsToldWithLineAndKey(_ line: String, _ replacement: String, _ number: Int, _ key: String) throws {
        let error = try refusal(line, replacement)
        #expect(error.line == number, "\(error)")
        #expect(error.key == key, "\(error)")
    }

    @Test func textThatIsNoYAMLIsRefusedWithItsLine() throws {
        let error = try refusal("  package: gdb", "  package: [gdb")
        #expect((22...25).contains(try #require(error.line)))
        #expect(error.reason.contains("not YAML"))
    }

    @Test func sameKeyTwiceIsRefused() throws {
        let error = try refusal("package-format: deb", "package-format: deb\npackage-format: rpm")
        #expect(error.reason.contains("twice"))
    }

    @Test func twoPluginsOfOneDistributionAreRefused() throws {
        let error = try #require(throws: CatalogError.self) {
            try load(["a.yaml": goodPlugin, "b.yaml": goodPlugin])
        }
        #expect(error.file == "b.yaml")
    }

    @Test func emptyOrMissingFolderIsRefused() throws {
        #expect(throws: CatalogError.self) { try load([:]) }
        #expect(throws: CatalogError.self) { try DistributionCatalog(plugins: "/nonexistent", keys: "/nonexistent") }
    }
}
