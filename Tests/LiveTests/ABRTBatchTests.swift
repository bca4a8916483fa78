import CrashModel
import SystemPackage
import TestFixtures
import Testing

extension LiveTests {
    /// The whole batch of ABRT's client, to the letter, on a real crash.
    @Suite("ABRT's client works unchanged")
    struct ABRTBatchTests {
        @Test func batchEndsWithABacktraceAndARating() async throws {
            let stack = try runningStack()
            let client = ABRTClient(port: await stack.address.port)
            let crash = try await crash(stack, stack.crashFiles("threads"))
            let outcome = try await client.batch(crash) { try await Task.sleep(for: .milliseconds(20)) }
            #expect(outcome.status == "FINISHED_SUCCESS", "\(outcome.printed)")
            #expect(outcome.backtrace?.contains("serve") == true)
            let exploitable = try #require(outcome.exploitable)
            #expect((0...9).contains(try #require(ABRTClient.rating(of: exploitable))), "\(exploitable)")
            #expect(!outcome.printed.isEmpty && Set(outcome.printed).count == outcome.printed.count)
        }

        @Test func batchOfAnUnknownReleaseEndsWithTheLog() async throws {
            let stack = try runningStack()
            let client = ABRTClient(port: await stack.address.port)
            var files = try stack.crashFiles("loner", executable: "/usr/bin/loner")
            files["os_release"] = Array("Plan 9 from Bell Labs (4th edition)".utf8)
            let ticket = try await client.create(try await crash(stack, files))
            let outcome = try await client.follow(ticket) { try await Task.sleep(for: .milliseconds(20)) }
            #expect(outcome.status == "FINISHED_FAILURE" && outcome.log?.contains("unknown-release") == true)
        }

        @Test func archiveThatIsNoneIsToldAsMaliciousOrCorrupt() async throws {
            let stack = try runningStack()
            let client = ABRTClient(port: await stack.address.port)
            let crash = ABRTClient.Crash(
                archive: Array("no archive".utf8), unpackedBytes: 10, releaseID: stack.made.release.description,
                package: MadeRelease.package)
            let failure = try await #require(throws: ABRTClient.Failure.self) { try await client.create(crash) }
            #expect(failure.description.contains("malicious"))
        }

        /// Plain tar of bare names, piped through `xz -2`.
        private func crash(_ stack: Stack, _ files: [String: [UInt8]]) async throws -> ABRTClient.Crash {
            let archive = try await ScratchDirectory.with { folder in
                for (name, content) in files { try FolderContents.write(content, to: folder.appending(name)) }
                _ = try await MadeRelease.shell(
                    "tar -cf - coredump executable package os_release | xz -2 > ../$(basename $PWD).xz; "
                        + "mv ../$(basename $PWD).xz packed", in: folder)
                return try FolderContents.read(folder.appending("packed"))
            }
            return ABRTClient.Crash(
                archive: archive, unpackedBytes: files.values.reduce(0) { $0 + $1.count },
                releaseID: stack.made.release.description, package: MadeRelease.package)
        }
    }
}
