import CrashModel
import Distributions
import Testing

@Suite struct RepositoryKeys {
    private func plugin(_ repository: String, top: String = "") -> String {
        """
        distribution: demo
        display-name: Demo
        package-format: rpm
        versions: ['1']
        architectures: [x86_64, { i386: i586 }]
        recognise:
          release-text: ['^Demo ([0-9]+)']
          os-release: { id: [demo], version: '([0-9]+)' }
          package: ['demo([0-9]+)']
          examples: {}
        debugger: { package: gdb, executable: /usr/bin/gdb }
        keys: [k.asc]
        \(top)
        repositories:
          - name: one
            \(repository)

        """
    }

    private func repository(_ line: String, top: String = "") throws -> Repository {
        try #require(try repositories(line, top: top).first)
    }

    private func repositories(
        _ line: String, top: String = "", _ releaseID: String = "demo-1-x86_64"
    ) throws -> [Repository] {
        try PluginFolder.with(["demo.yaml": plugin(line, top: top)], keys: ["k.asc"]) {
            try $0.catalog().distributions.flatMap { $0.repositories(for: try ReleaseID(releaseID)) }
        }
    }

    private func fault(_ line: String, top: String = "") throws -> CatalogError {
        try PluginFolder.with(["demo.yaml": plugin(line, top: top)], keys: ["k.asc"]) { folder in
            try #require(throws: CatalogError.self) { try folder.catalog() }
        }
    }

    @Test func modeIsThePluginsUnlessTheRepositorySaysOtherwise() throws {
        #expect(try repository("mirrors: [/srv]").mode == .full)
        #expect(try repository("mirrors: [/srv]", top: "mirror: lazy").mode == .lazy)
        #expect(try repository("mirrors: [/srv]\n    mirror: full", top: "mirror: lazy").mode == .full)
        #expect(try fault("mirrors: [/srv]", top: "mirror: some").line == 13)
    }

    @Test(arguments: [
        ("5 MiB", 5_242_880 as UInt64), ("5MiB/s", 5_242_880), ("500 kB", 500_000), ("1000000", 1_000_000),
        ("1 GiB", 1 << 30),
        ("7 B", 7),
    ])
    func rateIsBytesASecond(_ text: String, _ bytes: UInt64) throws {
        #expect(try repository("mirrors: [/srv]\n    rate-limit: \(text)").bytesPerSecond == bytes)
    }

    @Test(arguments: [
        "fast", "0", "-1", "5 megs", "5.5 MiB", "99999999999999999999", "18446744073709551615 GiB", "5 mib",
    ])
    func rateThatIsNoneIsRefusedWithItsLine(_ text: String) throws {
        let error = try fault("mirrors: [/srv]\n    rate-limit: \(text)")
        #expect(error.key == "repositories.rate-limit" && error.line == 17, "\(error)")
    }

    @Test(arguments: ["0", "-3", "all", "1001", "2.5"])
    func keptVersionsThatAreNoneAreRefused(_ text: String) throws {
        let error = try fault("mirrors: [/srv]\n    keep: \(text)")
        #expect(error.key == "repositories.keep" && error.line == 17, "\(error)")
    }

    @Test(arguments: [
        "http://a.example.org/x", "https://a.example.org:8443/x/$VER", "rsync://a.example.org/module/x",
        "ftp://a.example.org", "file:///srv/x", "/srv/x y",
    ])
    func everyTransportIsTaken(_ address: String) throws {
        let text = address.replacingFirst("$VER", "1")
        #expect(try repository("mirrors: ['\(address)']").mirrors == [.address(text)])
    }

    @Test(arguments: [
        "gopher://a/x", "a.example.org::module", "https://", "https:///x", "https://a b/x", "rsync://a.example.org",
        "https://a/../x", "/srv/../etc", "https://a/x?y=1", "https://a/x#y", "rsync://-e/x/y", "http://a/\u{e9}", "x",
    ])
    func addressThatIsNoMirrorIsRefusedWithItsLine(_ address: String) throws {
        let error = try fault("mirrors: ['\(address)']")
        #expect(error.key == "repositories.mirrors" && error.line == 16, "\(error)")
    }

    @Test(arguments: [
        "ftp://me:secret@a.example.org/x", "https://secret@a/x", "rsync://u:secret@a/m/x", "sftp://u:secret@a/x",
    ])
    func passwordInAnAddressIsRefusedAndNotRepeated(_ address: String) throws {
        let error = try fault("mirrors: ['\(address)']")
        #expect(!error.description.contains("secret") && !error.description.contains("me:"), "\(error)")
        if !address.hasPrefix("sftp") { #expect(error.reason.contains("folder")) }
    }

    @Test func directoryNameStandsForTheArchitectureInPaths() throws {
        let line = "mirrors: [/srv/$ARCH]\n    architectures: [i386]"
        #expect(try repositories(line, "demo-1-i386").map(\.mirrors) == [[.address("/srv/i586")]])
        #expect(try repositories(line, "demo-1-x86_64").isEmpty)
        #expect(try fault("mirrors: [/srv]\n    architectures: [vax]").key == "repositories.architectures")
    }

    @Test func versionThatThePluginDoesNotListIsRefused() throws {
        let error = try fault("mirrors: [/srv]\n    versions: ['1', '12']")
        #expect(error.key == "repositories.versions" && error.reason.contains("12"))
    }

    @Test(arguments: ["../x", "/etc/passwd", "a/../../x"])
    func keyFileOutsideTheFolderIsRefused(_ name: String) throws {
        #expect(try fault("mirrors: [/srv]\n    keys: ['\(name)']").key == "repositories.keys")
    }

    @Test func everyFaultOfEveryFileIsTold() throws {
        let bad = plugin("mirrors: ['gopher://x']\n    keep: 0", top: "colour: red")
        let faults = try PluginFolder.with(["a.yaml": bad, "b.yaml": "distribution: [b", "c.yaml": plugin("keep: 3")]) {
            $0.survey.faults
        }
        #expect(faults.map(\.file) == ["a.yaml", "b.yaml", "c.yaml", "a.yaml"], "\(faults)")
        #expect(faults.contains { $0.key == "colour" } && faults.contains { $0.key == "repositories.keep" })
    }
}

extension String {
    fileprivate func replacingFirst(_ part: String, _ other: String) -> String {
        split(separator: part, maxSplits: 1, omittingEmptySubsequences: false).joined(separator: other)
    }
}
