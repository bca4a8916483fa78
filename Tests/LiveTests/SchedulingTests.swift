import Sandbox
import SystemPackage
import TestFixtures
import Testing

@Suite("What asks for synchronisations at their time, which needs no service")
struct SchedulingTests {
    private func retrace(_ arguments: [String]) async throws -> ChildResult {
        try await runTool(
            [Stack.products.appending("retrace").string, "sync"] + arguments,
            environment: ["RETRACE_AMQP_URL": "amqp://nobody:nothing@127.0.0.1:1/%2f"],
            limits: SandboxLimits(wallTime: .seconds(90)))
    }

    /// The timer comes again after hours only, so its unit tries again itself, but not what time does not mend.
    @Test func timersUnitTriesAgainWhenTheBrokerIsDownAndNotForAWrongName() async throws {
        let unit = String(
            decoding: try Checkout.read("services/reposync/reposync@.service"),
            as: UTF8.self
        ).split(separator: "\n")
        #expect(unit.contains("Restart=on-failure"))
        let isDown = try await retrace(["debian-12-x86_64", "--no-wait"])
        let isWrong = try await retrace(["not a release"])
        let final = try #require(unit.first { $0.hasPrefix("RestartPreventExitStatus=") }?.split(separator: "=").last)
        #expect(isWrong.termination.exitStatus.map { "\($0)" } == String(final))
        #expect(isDown.termination.exitStatus.map { $0 != 0 && "\($0)" != String(final) } == true, "\(isDown)")
    }

    @Test func schedulerOfTheComposeStackAsksForEveryReleaseAndEndsWhenItIsStopped() async throws {
        try await ScratchDirectory.with { folder in
            let compose = String(
                decoding: try Checkout.read("compose/compose.yaml"), as: UTF8.self)
            let lines = compose.split(separator: "\n", omittingEmptySubsequences: false)
            let service = lines.drop { $0 != "  scheduler:" }
            let script = service.drop { $0 != "      - |" }.dropFirst().prefix { $0.hasPrefix("        ") }
            try #require(!script.isEmpty)
            // In a compose file `$$` is a dollar.
            let text = script.joined(separator: "\n").split(separator: "$$", omittingEmptySubsequences: false)
                .joined(separator: "$")
            try DebianArchive.makeDirectories(folder.appending("bin"))
            for (name, body) in [
                // The first of two releases fails; the second is asked for all the same.
                ("retrace", "echo \"$*\" >> \(folder)/asked; case $2 in one) exit 1;; esac"),
                ("sleep", "echo \"sleep $1\" >> \(folder)/asked; kill -TERM $PPID"),
            ] {
                let file = try FolderContents.write(
                    "#!/bin/sh\n\(body)\n".utf8, to: folder.appending("bin").appending(name))
                _ = try await runTool(["chmod", "755", file.string])
            }
            let result = try await runTool(
                ["bash", "-c", text],
                environment: [
                    "PATH": "\(folder)/bin:/usr/bin:/bin", "RELEASES": "one two", "SYNC_SECONDS": "21600",
                ], limits: SandboxLimits(wallTime: .seconds(30)))
            #expect(result.termination.exitStatus != nil, "\(result.termination)")
            let asked = String(decoding: try FolderContents.read(folder.appending("asked")), as: UTF8.self)
            #expect(asked == "sync one --no-wait\nsync two --no-wait\nsleep 21600\n")
            #expect(String(decoding: result.standardError, as: UTF8.self).contains("no job for one"))
        }
    }
}
