import CrashModel
import NIOHTTP1
import SystemPackage
import TestFixtures
import Testing

extension LiveTests {
    @Suite("Bad input gets a clear answer")
    struct BadInputTests {
        /// An upload that the gateway must refuse, and a part of the sentence that it says.
        struct BadUpload: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let bytes: @Sendable (Stack) async throws -> [UInt8]
            let says: String
        }

        static let badUploads = [
            BadUpload(
                testDescription: "not an archive", bytes: { _ in Array("I am no archive.".utf8) }, says: "archive"),
            BadUpload(
                testDescription: "truncated archive",
                bytes: { stack in
                    let whole = try await stack.packed(try stack.crashFiles("plain"))
                    return Array(whole.prefix(whole.count / 2))
                }, says: "archive"),
            BadUpload(
                testDescription: "no coredump",
                bytes: { stack in
                    var files = try stack.crashFiles("plain")
                    files["coredump"] = nil
                    return try await stack.packed(files)
                }, says: "coredump"),
            BadUpload(
                testDescription: "core that is text",
                bytes: { stack in
                    var files = try stack.crashFiles("plain")
                    files["coredump"] = Array("Dear server, I crashed.\n".utf8)
                    return try await stack.packed(files)
                }, says: "core"),
        ]

        @Test(arguments: badUploads)
        func uploadIsRefusedAndNothingIsKept(_ bad: BadUpload) async throws {
            let stack = try runningStack()
            let before = FolderContents.names(in: stack.spool)
            let answer = try await stack.create(try await bad.bytes(stack))
            #expect(answer.status == 403)
            #expect(answer.body.contains(bad.says) && answer.body.count > 30, "\(answer.body)")
            #expect(FolderContents.names(in: stack.spool) == before)
        }

        @Test func releaseThatIsNotToldIsFoundByTheBuildIDs() async throws {
            let stack = try runningStack()
            var files = try stack.crashFiles("plain")
            files["os_release"] = Array("Plan 9 from Bell Labs (4th edition)".utf8)
            let task = try await stack.submit(files)
            #expect(try await stack.end(of: task).status == "FINISHED_SUCCESS")
            #expect(try await stack.get(task, "/log").body.contains("build-id"))
        }

        @Test func unknownReleaseFailsTheTaskWithItsReason() async throws {
            let stack = try runningStack()
            var files = try stack.crashFiles("loner", executable: "/usr/bin/loner")
            files["os_release"] = Array("Plan 9 from Bell Labs (4th edition)".utf8)
            let task = try await stack.submit(files)
            let end = try await stack.end(of: task)
            #expect(end.status == "FINISHED_FAILURE" && end.text.contains("unknown-release"), "\(end.text)")
            #expect(try await stack.get(task, "/log").body.contains("resolve failed"))
            // A failure is told first and cleared up after, so that its reason survives a kill in between.
            try await stack.until("nothing is left") { stack.remains() == [] }
        }

        @Test func programWithoutPackageGivesWhatItsLibrariesTell() async throws {
            let stack = try runningStack()
            let task = try await stack.submit(try stack.crashFiles("stranger", executable: "/usr/bin/stranger"))
            #expect(try await stack.end(of: task).status == "FINISHED_SUCCESS")
            let backtrace = try ReadBacktrace(try await stack.get(task, "/backtrace.json").body)
            let names = backtrace.threads.first?.frames.compactMap(\.function) ?? []
            #expect(names.prefix(2) == ["look", "shelf_weigh"] && !names.contains("main"), "\(names)")
            let program = backtrace.modules.first { $0.path == "/usr/bin/stranger" }
            #expect(program?.package == nil && program?.reason?.isEmpty == false, "\(String(describing: program))")
            #expect(try await stack.get(task, "/backtrace").body.contains("stranger"))
        }

        /// Without the end the stack is missing; without half, gdb's list of libraries too.
        @Test(arguments: [(1, 0x8000, "look"), (2, 0, nil)] as [(Int, Int, String?)])
        func truncatedCoreGivesWhatIsLeftAndSaysSo(_ parts: Int, _ cut: Int, _ first: String?) async throws {
            let stack = try runningStack()
            var files = try stack.crashFiles("plain")
            let core = try coreInKernelOrder(files["coredump"] ?? [])
            files["coredump"] = Array(core.prefix(core.count / parts - cut))
            let task = try await stack.submit(files)
            let end = try await stack.end(of: task)
            #expect(end.status == "FINISHED_SUCCESS", "\(end.text)")
            let backtrace = try ReadBacktrace(try await stack.get(task, "/backtrace.json").body)
            #expect(backtrace.truncation != nil && !backtrace.remarks.isEmpty)
            let frames = backtrace.threads.first?.frames ?? []
            #expect(frames.first?.function == first && frames.count < 7, "\(backtrace.seen)")
            #expect(stack.remains() == [])
        }

        @Test func dumpElsewhereOnTheServerIsForbidden() async throws {
            let stack = try runningStack()
            let file = stack.directory.appending("elsewhere")
            try FolderContents.write("KDUMP   ".utf8, to: file)
            let answer = try await stack.request(
                .POST, "/create",
                [
                    "Content-Type": "application/octet-stream", "X-Task-Type": "2",
                    "X-CoreFileDirectory": file.string,
                ], [])
            #expect(answer.status == 403, "\(answer)")
        }

        @Test func archiveWithAWrongSignatureIsNotMirrored() async throws {
            let stack = try runningStack()
            let stranger = try await SigningKey()
            let index = stack.repositories.appending("\(stack.made.release)/index.sqlite")
            let before = FolderContents.status(index)
            let end: TaskEvent
            do {
                try await stack.made.archive.publish(signedBy: stranger)
                end = try await stack.synchronised(stack.made.release)
            } catch {
                try await stranger.remove()
                throw error
            }
            try await stranger.remove()
            try await stack.made.archive.publish(signedBy: stack.made.key)
            #expect(end.error?.code.description == "bad-signature", "\(end)")
            #expect(before != nil && FolderContents.status(index)?.inode == before?.inode)
            let task = try await stack.submit(try stack.crashFiles("plain"))
            #expect(try await stack.end(of: task).status == "FINISHED_SUCCESS")
            #expect(try await stack.synchronised(stack.made.release).kind == .succeeded)
        }
    }
}
