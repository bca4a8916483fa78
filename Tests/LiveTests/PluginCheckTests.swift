import Sandbox
import SystemPackage
import TestFixtures
import Testing

/// A plugin of RPMs with one repository, whose mirrors a test names.
private func plugin(_ mirrors: String, more: String = "", keys: String = "[demo/key.asc]") -> String {
    """
    distribution: demo
    display-name: Demo Linux
    package-format: rpm
    versions: ['7', '8']
    architectures: [x86_64]
    recognise:
      release-text: ['^Demo Linux ([0-9]+)']
      os-release: { id: [demo], version: '^([0-9]+)' }
      package: ['\\.demo([0-9]+)']
      examples: { release: { 'Demo Linux 7': '7' } }
    debugger: { package: gdb, executable: /usr/bin/gdb }
    keys: \(keys)
    repositories:
      - name: main
        mirrors: \(mirrors)
        keep: 3
        rate-limit: 5 MiB
        mirror: lazy
    \(more)
    """
}

@Suite("retrace plugin check, which needs no service")
struct PluginCheckTests {
    private struct Outcome {
        let status: ChildTermination
        let output: String
        let complaint: String
    }

    private func check(
        _ plugins: [String: String], key: [UInt8]? = nil, _ arguments: [String], in folder: FilePath
    ) async throws -> Outcome {
        for name in ["plugins", "gpg/demo"] { try DebianArchive.makeDirectories(folder.appending(name)) }
        for (name, text) in plugins {
            try FolderContents.write(text.utf8, to: folder.appending("plugins").appending(name))
        }
        if let key { try FolderContents.write(key, to: folder.appending("gpg/demo/key.asc")) }
        return try await run(
            arguments + ["--plugins", folder.appending("plugins").string, "--keys", folder.appending("gpg").string])
    }

    private func run(_ arguments: [String]) async throws -> Outcome {
        // Not less than what the command gives to gpg.
        var limits = SandboxLimits.tool
        limits.wallTime = .seconds(300)
        let result = try await runTool(
            [Stack.products.appending("retrace").string, "plugin", "check"] + arguments,
            limits: limits)
        return Outcome(
            status: result.termination, output: String(decoding: result.standardOutput, as: UTF8.self),
            complaint: String(decoding: result.standardError, as: UTF8.self))
    }

    private func withKey(_ body: (SigningKey) async throws -> Void) async throws {
        let key = try await SigningKey()
        do { try await body(key) } catch {
            try await key.remove()
            throw error
        }
        try await key.remove()
    }

    @Test func saysWhatWouldBeSynchronisedAndWhoseKeysCount() async throws {
        try await withKey { key in
            try await ScratchDirectory.with { folder in
                let outcome = try await check(
                    ["demo.yaml": plugin("[/srv/demo/$VER]")], key: key.publicKey,
                    ["demo", "7", "x86_64", "--no-mirrors"], in: folder)
                #expect(outcome.status == .exited(0), "\(outcome)")
                for fact in [
                    "demo-7-x86_64 would be synchronised", "packages on first need", "the newest 3 versions",
                    "at most 5 MiB a second", "/srv/demo/7", "retrace test", "1 mirrors, not asked",
                ] { #expect(outcome.output.contains(fact), "\(fact): \(outcome.output)") }
            }
        }
    }

    @Test func architectureWithMirrorsOfItsOwnIsLookedAtToo() async throws {
        try await withKey { key in
            try await ScratchDirectory.with { folder in
                let ports = """
                      - { name: ports, architectures: [aarch64, ppc64le], mirrors: [/srv/ports/$ARCH] }
                    """
                let text = plugin("[/srv/demo/$ARCH]", more: ports)
                    .split(separator: "architectures: [x86_64]").joined(
                        separator: "architectures: [x86_64, aarch64, ppc64le]")
                let outcome = try await check(
                    ["demo.yaml": text], key: key.publicKey, ["demo", "--no-mirrors"], in: folder)
                #expect(outcome.output.contains("demo-7-x86_64") && outcome.output.contains("demo-7-aarch64"))
                // What differs only by the architecture's name is one place.
                #expect(!outcome.output.contains("demo-7-ppc64le"), "\(outcome)")
            }
        }
    }

    @Test func missingKeyIsAProblemThatPointsToTheReadme() async throws {
        try await ScratchDirectory.with { folder in
            let outcome = try await check(
                ["demo.yaml": plugin("[/srv/demo]")], ["demo", "--no-mirrors"], in: folder)
            #expect(outcome.status == .exited(1))
            #expect(outcome.output.contains("demo/key.asc (7, 8) is missing: see gpg/README.md"), "\(outcome.output)")
        }
    }

    @Test func missingKeyOfADistributionThatIsNotEnabledIsAProblemOnlyWhenItIsNamed() async throws {
        try await ScratchDirectory.with { folder in
            let text = ["demo.yaml": plugin("[/srv/demo]", more: "enabled: false")]
            let all = try await check(text, ["--no-mirrors"], in: folder)
            #expect(all.status == .exited(0) && all.output.contains("missing: see gpg/README.md"), "\(all)")
            let named = try await check(text, ["demo", "--no-mirrors"], in: folder)
            #expect(named.status == .exited(1), "\(named)")
        }
    }

    @Test func fileThatIsNoKeyIsAProblem() async throws {
        try await ScratchDirectory.with { folder in
            let outcome = try await check(
                ["demo.yaml": plugin("[/srv/demo]")], key: Array("hello\n".utf8), ["demo", "--no-mirrors"], in: folder)
            #expect(outcome.status == .exited(1) && outcome.output.contains("holds no public key"), "\(outcome.output)")
        }
    }

    @Test(arguments: [(isRevoked: false, "has expired"), (isRevoked: true, "was revoked")])
    func keyThatNoLongerCountsIsAProblem(_ isRevoked: Bool, _ words: String) async throws {
        try await ScratchDirectory.with { folder in
            let home = folder.appending("k")
            try DebianArchive.makeDirectories(home)
            let gpg =
                ["gpg", "--homedir", home.string, "--batch", "--quiet"]
                + (isRevoked ? [] : ["--faked-system-time", "20200101T000000"])
            let made = try await runTool(
                gpg + ["--passphrase", "", "--quick-gen-key", "old <old@example.org>", "ed25519", "sign", "1y"])
            if isRevoked {
                // gpg makes the certificate with the key, with a colon before it so that nobody uses it by mistake.
                _ = try await runTool([
                    "sh", "-c", "sed 's/^:---/---/' \"$0\"/openpgp-revocs.d/*.rev > \"$0\"/rev", home.string,
                ])
                _ = try await runTool(gpg + ["--import", home.appending("rev").string])
            }
            let exported = try await runTool(gpg + ["--armor", "--export"])
            _ = try await runTool(["gpgconf", "--homedir", home.string, "--kill", "all"])
            try #require(made.succeeded, "\(String(decoding: made.standardError, as: UTF8.self))")
            let outcome = try await check(
                ["demo.yaml": plugin("[/srv/demo]")], key: exported.standardOutput, ["demo", "--no-mirrors"], in: folder
            )
            #expect(outcome.status == .exited(1) && outcome.output.contains(words), "\(outcome)")
            #expect(isRevoked || outcome.output.contains("expires 2020-12-31"), "\(outcome.output)")
        }
    }

    @Test func everyFaultOfEveryPluginIsToldWithItsLine() async throws {
        try await ScratchDirectory.with { folder in
            let outcome = try await check(
                [
                    "bad.yaml": plugin("['gopher://x']", more: "colour: red"), "worse.yaml": "distribution: [",
                    "orphan.yaml": "inherits: nobody\n",
                ], ["--no-mirrors"], in: folder)
            #expect(outcome.status == .exited(1))
            for fact in [
                "bad.yaml:19: colour", "bad.yaml:15: repositories.mirrors", "worse.yaml:", "orphan.yaml:1: inherits",
            ] {
                #expect(outcome.output.contains(fact), "\(fact): \(outcome.output)")
            }
            #expect(outcome.complaint.contains("4 problems"), "\(outcome.complaint)")
        }
    }

    /// Port 1 of the loopback, where nobody listens.
    private static let dead = "http://127.0.0.1:1/demo"

    @Test func deadMirrorIsToldAndIsNoProblemWhileAnotherAnswers() async throws {
        try await withKey { key in
            try await ScratchDirectory.with { folder in
                try DebianArchive.makeDirectories(folder.appending("mirror/repodata"))
                let metadata = "<repomd><data type=\"primary\"><timestamp>1763942400</timestamp></data></repomd>"
                try FolderContents.write(metadata.utf8, to: folder.appending("mirror/repodata/repomd.xml"))
                let outcome = try await check(
                    ["demo.yaml": plugin("['\(Self.dead)', '\(folder.appending("mirror"))']")], key: key.publicKey,
                    ["demo-7-x86_64"], in: folder)
                #expect(outcome.status == .exited(0), "\(outcome)")
                for fact in ["1 of 2 mirrors answer", "fails   \(Self.dead): ", "repodata/repomd.xml, of 2025-11-24"] {
                    #expect(outcome.output.contains(fact), "\(fact): \(outcome.output)")
                }
            }
        }
    }

    @Test func repositoryWithoutAnyMirrorThatAnswersIsAProblem() async throws {
        try await withKey { key in
            try await ScratchDirectory.with { folder in
                let text = plugin("['\(Self.dead)']")
                let outcome = try await check(["demo.yaml": text], key: key.publicKey, ["--json"], in: folder)
                #expect(outcome.status == .exited(1), "\(outcome)")
                #expect(outcome.output.contains("No mirror of repository 'main' of demo-7-x86_64 answers."))
                #expect(outcome.output.contains("\"answers\" : false") && outcome.output.contains("\"keep\" : 3"))
                let optional = try await check(
                    ["demo.yaml": text.split(separator: "    keep: 3").joined(separator: "    optional: true")],
                    key: key.publicKey, ["demo", "8", "x86_64"], in: folder)
                #expect(optional.status == .exited(0) && optional.output.contains("it is optional"), "\(optional)")
            }
        }
    }

    @Test func shippedPluginsAreFine() async throws {
        var checkout = FilePath(#filePath)
        for _ in 0..<3 { checkout.removeLastComponent() }
        let outcome = try await run([
            "--no-mirrors", "--plugins", checkout.appending("plugins").string, "--keys",
            checkout.appending("gpg").string,
        ])
        #expect(outcome.status == .exited(0), "\(outcome)")
    }

    @Test(arguments: [["nosuch"], ["demo", "12", "x86_64"], ["demo", "7", "vax"], ["demo", "7"], ["--colour"]])
    func nameThatIsNotThereIsAnErrorOfUsage(_ arguments: [String]) async throws {
        try await ScratchDirectory.with { folder in
            let outcome = try await check(
                ["demo.yaml": plugin("[/srv/demo]", more: "enabled: false")], arguments + ["--no-mirrors"], in: folder)
            #expect(outcome.status == .exited(64), "\(outcome)")
        }
    }
}
