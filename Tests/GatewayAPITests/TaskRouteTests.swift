import CrashModel
import GatewayAPI
import Glibc
import HTTPTypes
import HummingbirdTesting
import NIOCore
import SystemPackage
import TaskStorage
import Testing

@Suite struct TaskRouteTests {
    @Test func passwordMissingOrWrongIs403AndUnknownTask404() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask()
            let id = directory.task
            for path in ["/\(id)", "/\(id)/", "/\(id)/log", "/\(id)/backtrace", "/\(id)/backtrace.json"] {
                #expect(try await client.get(path).status.code == 403)
                #expect(try await client.get(path, password: password + "x").status.code == 403)
                #expect(try await client.get(path, password: "").status.code == 403)
            }
            for path in ["/1", "/012345678", "/99999999999999999999999", "/12a", "/abc", "/1/log", "/abc/backtrace"] {
                let response = try await client.get(path, password: password)
                #expect(response.status.code == 404)
                #expect(response.isWellFormed())
            }
        }
    }

    @Test func oneTasksPasswordOpensNoOther() async throws {
        try await GatewayBench.run { bench, client in
            let (mine, password) = try await bench.makeTask()
            let (other, _) = try await bench.makeTask()
            #expect(try await client.get("/\(mine.task)", password: password).status.code == 200)
            #expect(try await client.get("/\(other.task)", password: password).status.code == 403)
        }
    }

    @Test func statusNamesTheStageAndOlderTasks() async throws {
        try await GatewayBench.run { bench, client in
            _ = try await bench.makeTask()
            let (directory, password) = try await bench.makeTask([.started, .progress], stage: .build)
            try await bench.store.remove(directory.task)
            try await bench.store.insert(
                directory.task, type: 0, password: PasswordHash(of: password), microseconds: 2)
            var response = try await client.get("/\(directory.task)", password: password)
            #expect(response.status == .ok && response.isWellFormed())
            #expect(response.headers[.taskStatus] == "PENDING")
            #expect(response.text.contains("One older task is in work.") && response.text.contains("Waiting"))
            _ = try await bench.store.apply(
                TaskEvent(
                    task: directory.task, stage: .build, kind: .progress, microseconds: 9, message: "3 of 4 packages",
                    fraction: 0.75))
            response = try await client.get("/\(directory.task)/", password: password)
            #expect(response.text.contains(Stage.build.activity) && response.text.contains("3 of 4 packages"))
            #expect(response.text.contains("75 %"))
        }
    }

    @Test(arguments: Stage.allCases, TaskEvent.Kind.allCases)
    func statusBodyIsNeverEmpty(stage: Stage, kind: TaskEvent.Kind) async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask([kind], stage: stage)
            let response = try await client.get("/\(directory.task)", password: password)
            #expect(response.status == .ok && !response.text.isEmpty)
            #expect(TaskState(rawValue: response.headers[.taskStatus] ?? "") != nil)
        }
    }

    @Test func finishedTaskShowsItsBacktraceAsTextAndAsData() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask([.started, .succeeded])
            try write(Array("#0 main\n".utf8) + [0xff], to: directory.backtrace)
            try write("{\"threads\":[]}".utf8, to: directory.backtraceJSON)
            let path = "/\(directory.task)"
            let status = try await client.get(path, password: password)
            #expect(status.headers[.taskStatus] == "FINISHED_SUCCESS")
            #expect(status.text.contains("retrace 0.25 s"))
            let text = try await client.get(path + "/backtrace", password: password)
            #expect(text.status == .ok && text.isWellFormed() && text.text == "#0 main\n\u{fffd}")
            let json = try await client.get(path + "/backtrace.json", password: password)
            #expect(json.status == .ok && json.isWellFormed("application/json") && json.text == "{\"threads\":[]}")
            let log = try await client.get(path + "/log", password: password)
            #expect(log.text.contains("1970-01-01T00:00:00.250Z] retrace succeeded: retrace says succeeded"))
        }
    }

    /// A backtrace without a name in it was announced in the same words as a good one.
    @Test func finishedTaskSaysHowGoodItsResultIs() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask([.started])
            let learnt: [(Stage, [String: String])] = [
                (.ingest, ["truncation": "The core is cut off after 1 of 2 bytes."]),
                (
                    .resolve,
                    [
                        "modules": "8", "modules_complete": "0", "release": "debian-12-x86_64",
                        "release_evidence": "It says so.",
                    ]
                ),
                (.retrace, ["frames": "64", "symbolised_frames": "3"]),
            ]
            for (index, (stage, facts)) in learnt.enumerated() {
                _ = try await bench.store.apply(
                    TaskEvent(
                        task: directory.task, stage: stage, kind: .succeeded, microseconds: Int64(index),
                        message: "done",
                        facts: facts))
            }
            let text = try await client.get("/\(directory.task)", password: password).text
            #expect(text.contains("The core is cut off after 1 of 2 bytes."))
            #expect(text.contains("Frames: 3 of 64 have names"))
            #expect(text.contains("Modules: 0 of 8 were found"))
            #expect(text.contains("Release: debian-12-x86_64 (It says so)"))
        }
    }

    @Test func failedTaskSaysWhyAndHasALogWithoutAFile() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask([.started], stage: .resolve)
            let error = StageError(
                .resolve, StageError.Code("unknown-release"), "The release is not known here.",
                advice: "Ask the operator.", exitStatus: 3, toolOutput: "last words")
            _ = try await bench.store.apply(
                TaskEvent(
                    task: directory.task, stage: .resolve, kind: .failed, microseconds: 7, message: error.reason,
                    error: error))
            let path = "/\(directory.task)"
            let status = try await client.get(path, password: password)
            #expect(status.headers[.taskStatus] == "FINISHED_FAILURE")
            for part in ["The release is not known here.", "Ask the operator.", "unknown-release", "exit status 3"] {
                #expect(status.text.contains(part))
            }
            let log = try await client.get(path + "/log", password: password)
            #expect(log.status == .ok && log.text.contains("last words"))
            let backtrace = try await client.get(path + "/backtrace", password: password)
            #expect(backtrace.status == .notFound && backtrace.text.contains("failed"))
        }
    }

    @Test func controlsOfTheTerminalDoNotReachIt() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask([.started])
            let message = "reading /tmp/\u{1b}[2J\u{9b}31m\u{202e}gpj.exe\r"
            _ = try await bench.store.apply(
                TaskEvent(
                    task: directory.task, stage: .retrace, kind: .progress, microseconds: 9, message: message))
            try write("gdb: \u{1b}]0;title\u{7}\n".utf8, to: directory.log)
            for path in ["/\(directory.task)", "/\(directory.task)/log"] {
                let text = try await client.get(path, password: password).text
                #expect(text.contains("gpj.exe") && text.contains("\n"))
                #expect(!text.unicodeScalars.contains { "\u{1b}\u{9b}\u{202e}\r\u{7}".unicodeScalars.contains($0) })
            }
        }
    }

    @Test func ratingOfExploitabilityIsServedAsItIs() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask([.started, .succeeded])
            try #require(mkdir(directory.results.string, 0o700) == 0)
            try write("Why:\nExploitability rating: 7\n".utf8, to: directory.results.appending("exploitable"))
            let rating = try await client.get("/\(directory.task)/exploitable", password: password)
            #expect(rating.status == .ok && rating.isWellFormed())
            #expect(rating.text == "Why:\nExploitability rating: 7\n")
            #expect(try await client.get("/\(directory.task)/exploitable").status.code == 403)
        }
    }

    @Test func whatIsNotThereYetIs404() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask()
            for name in ["backtrace", "backtrace.json", "log", "exploitable"] {
                let response = try await client.get("/\(directory.task)/\(name)", password: password)
                #expect(response.status == .notFound && response.isWellFormed())
            }
        }
    }

    @Test func linkInPlaceOfAResultIsNotFollowed() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask([.succeeded])
            try #require(symlink("/etc/passwd", directory.backtrace.string) == 0)
            let response = try await client.get("/\(directory.task)/backtrace", password: password)
            #expect(response.status.code == 500)
            #expect(!response.text.contains("root:") && !response.text.contains("/etc"))
        }
    }

    @Test func everyMethodIsTakenAndHeadHasNoBody() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask()
            let path = "/\(directory.task)"
            for method in [HTTPRequest.Method.post, .put, .delete, .options, .patch] {
                #expect(try await client.get(path, password: password, method: method).status == .ok)
            }
            let whole = try await client.get(path, password: password)
            let head = try await client.get(path, password: password, method: .head)
            #expect(head.status == .ok && head.body.readableBytes == 0)
            #expect(head.headers[.contentLength] == whole.headers[.contentLength])
            #expect(head.headers[.taskStatus] == "PENDING")
        }
    }
}
