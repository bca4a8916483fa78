import CrashModel
import Sandbox
import SystemPackage
import TestFixtures
import Testing

extension LiveTests {
    @Suite("The retrace command against the real services")
    struct CommandTests {
        @Test func submitFollowsTheTaskAndPrintsTheBacktrace() async throws {
            let stack = try runningStack()
            let problem = stack.directory.appending("problem")
            try DebianArchive.makeDirectories(problem)
            for (name, content) in try stack.crashFiles("plain") {
                try FolderContents.write(content, to: problem.appending(name))
            }
            let submitted = try await retrace(["submit", problem.string], stack)
            #expect(submitted.termination == .exited(0), "\(text(submitted.standardError))")
            let bare = try await stack.made.bareGdb(stack.made.core("plain"))
            #expect(ReadBacktrace.seen(in: text(submitted.standardOutput)) == ReadBacktrace.seen(in: bare))
            #expect(text(submitted.standardError).contains(Stage.retrace.activity) || !submitted.standardError.isEmpty)
        }

        @Test func passwordIsKeptForTheOtherCommands() async throws {
            let stack = try runningStack()
            let core = stack.made.core("plain").string
            let submitted = try await retrace(
                [
                    "submit", core, "--no-wait", "--executable", "/usr/bin/crashdemo", "--package",
                    MadeRelease.package, "--release", MadeRelease.releaseText,
                ], stack)
            #expect(submitted.termination == .exited(0), "\(text(submitted.standardError))")
            let id = text(submitted.standardOutput).trimmingSuffix { $0.isNewline }
            _ = try TaskID(id)
            let waited = try await retrace(["wait", id], stack)
            #expect(waited.termination == .exited(0), "\(text(waited.standardError))")
            let data = try await retrace(["backtrace", id, "--json"], stack)
            #expect(try ReadBacktrace(text(data.standardOutput)).threads.first?.frames.first?.function == "look")
            let log = try await retrace(["log", id], stack)
            #expect(text(log.standardOutput).contains("retrace succeeded"))
            let list = try await retrace(["results", id], stack)
            #expect(text(list.standardOutput).hasPrefix("exploitable\t"), "\(text(list.standardError))")
            let rating = try await retrace(["results", id, "exploitable"], stack)
            #expect(text(rating.standardOutput).contains("rating"), "\(text(rating.standardError))")
            let absent = try await retrace(["results", id, "ps"], stack)
            #expect(absent.termination == .exited(1) && absent.standardOutput.isEmpty)
            let strange = try await retrace(["results", id, "../log"], stack)
            #expect(strange.termination == .exited(64), "\(strange.termination)")
        }

        @Test func refusedUploadIsToldInWords() async throws {
            let stack = try runningStack()
            let file = stack.directory.appending("letter")
            try FolderContents.write("Dear server, I crashed.\n".utf8, to: file)
            let result = try await retrace(["submit", file.string], stack)
            #expect(result.termination != .exited(0) && text(result.standardError).count > 30)
        }

        @Test func syncEndsWithTheSynchronisation() async throws {
            let stack = try runningStack()
            let good = try await retrace(["sync", stack.made.release.description], stack)
            #expect(good.termination == .exited(0), "\(text(good.standardError))")
            let bad = try await retrace(["sync", "plan9", "4", "x86_64"], stack)
            #expect(
                bad.termination == .exited(1) && text(bad.standardError).contains("plan9"), "\(text(bad.standardError))"
            )
        }

        /// The mirror of the release has another name than what was asked for.
        @Test func syncOfAMinorVersionEndsWithTheSynchronisationOfItsRelease() async throws {
            let stack = try runningStack()
            try await stack.plum.prepare()
            let result = try await retrace(["sync", "plumtest", "1.4", "x86_64"], stack)
            #expect(result.termination == .exited(0), "\(text(result.standardError))")
            let releases = try await retrace(["releases"], stack)
            #expect(!text(releases.standardOutput).contains("plumtest-1.4"), "\(text(releases.standardOutput))")
        }

        @Test func releasesAreListedWithTheirAge() async throws {
            let stack = try runningStack()
            try await stack.synchronise()
            let result = try await retrace(["releases"], stack)
            #expect(result.termination == .exited(0), "\(text(result.standardError))")
            let line = text(result.standardOutput).split(separator: "\n").first {
                $0.hasPrefix(stack.made.release.description)
            }
            #expect(line?.contains(" ago") == true && line?.contains("ready") == true, "\(text(result.standardOutput))")
            let names = try await retrace(["releases", "--names"], stack)
            #expect(
                text(names.standardOutput).split(separator: "\n").contains { $0 == stack.made.release.description })
        }

        @Test func queuesAreListed() async throws {
            let stack = try runningStack()
            let result = try await retrace(["queues"], stack)
            #expect(result.termination == .exited(0), "\(text(result.standardError))")
            for stage in Stage.allCases { #expect(text(result.standardOutput).contains(stage.rawValue)) }
        }

        private func retrace(_ arguments: [String], _ stack: Stack) async throws -> ChildResult {
            try await stack.retrace(arguments)
        }

        private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
    }
}
