import CrashModel
import NIOHTTP1
import SystemPackage
import TestFixtures
import Testing

extension LiveTests {
    @Suite("The HTTP API against the real services")
    struct HTTPInterfaceTests {
        @Test func packagesOfAMirrorAreKnownAndOthersAreNot() async throws {
            let stack = try runningStack()
            try await stack.plum.prepare()
            let end = try await stack.synchronised(stack.plum.release)
            try #require(end.kind == .succeeded, "\(end)")
            let release = stack.plum.release.description
            for (package, status) in [
                ("crashdemo-2.4.1-7.plum", 302), ("crashdemo-1:2.4.1-7.plum", 302), ("crashdemo-2.4.2-7.plum", 404),
                ("crashdem-2.4.1-7.plum", 404), ("crashdemo-libs-2.4.3-1.plum", 302),
            ] {
                for asked in [release, nil] {
                    var headers = ["X-Package-NVR": package, "X-Package-Arch": "x86_64"]
                    headers["X-OS-Release"] = asked
                    let answer = try await stack.request(.GET, "/checkpackage", headers)
                    #expect(answer.status == status && answer.body.isEmpty, "\(package) of \(asked ?? "any release")")
                    #expect(answer.header("Location") == nil)
                }
            }
        }

        @Test func taskThatIsDeletedWhileItIsInWorkLeavesNothing() async throws {
            let stack = try runningStack()
            let task = try await stack.submit(try stack.crashFiles("plain"))
            let answer = try await stack.request(
                .POST, "/\(task.id)/delete", ["X-Task-Password": task.password])
            #expect(answer.status == 200, "\(answer.body)")
            #expect(try await stack.get(task).status == 404)
            try await stack.until("nothing of the task is left") { stack.remains() == [] }
            #expect(FolderContents.status(stack.directory.appending("spool/\(task.id)")) == nil)
        }
    }
}
