import CrashModel
import SystemPackage
import TestFixtures
import Testing

extension LiveTests {
    @Suite("A crash becomes a backtrace")
    struct JourneyTests {
        @Test func framesAreThoseOfBareGdbInTextAndData() async throws {
            let stack = try runningStack()
            for name in ["plain", "threads"] {
                let task = try await stack.submit(try stack.crashFiles(name))
                let end = try await stack.end(of: task)
                #expect(end.status == "FINISHED_SUCCESS", "\(end.text)")
                let text = try await stack.get(task, "/backtrace")
                let data = try await stack.get(task, "/backtrace.json")
                let rating = try await stack.get(task, "/exploitable")
                #expect(rating.status == 200 && rating.body.hasSuffix("(very likely): 1\n"), "\(rating.body)")
                #expect(text.status == 200 && data.status == 200, "\(text.body)")
                let bare = ReadBacktrace.seen(in: try await stack.made.bareGdb(stack.made.core(name)))
                #expect(bare.count == (name == "plain" ? 1 : 2))
                #expect(bare.first?.compactMap(\.place).count == 7, "\(bare)")
                #expect(ReadBacktrace.seen(in: text.body) == bare)
                #expect(try ReadBacktrace(data.body).seen == bare)
            }
            #expect(stack.remains() == [])
        }

        @Test func framesHaveTheirVariablesAndPackages() async throws {
            let stack = try runningStack()
            let task = try await stack.submit(try stack.crashFiles("threads"))
            #expect(try await stack.end(of: task).status == "FINISHED_SUCCESS")
            let backtrace = try ReadBacktrace(try await stack.get(task, "/backtrace.json").body)
            let frames = backtrace.threads.first { $0.crashed }?.frames ?? []
            #expect(frames.first?.function == "look" && frames.first?.package == "libcrashdemo1-1.0-1.amd64")
            #expect(frames.first?.locals == [ReadBacktrace.Variable(name: "seen", value: "41")])
            #expect(frames.last?.function == "main" && frames.last?.package == "crashdemo-1.0-1.amd64")
            let serve = frames.first { $0.function == "serve" }
            #expect(serve?.arguments.first?.value.contains("Ada") == true)
            #expect(serve?.locals.contains { $0.name == "today" && $0.value.contains("limes = 5") } == true)
            let other = backtrace.threads.first { !$0.crashed }?.frames
            #expect(other?.contains { $0.function == "wait_at_gate" } == true)
        }

        @Test func everyModuleHasItsPackageOrAReason() async throws {
            let stack = try runningStack()
            let task = try await stack.submit(try stack.crashFiles("plain"))
            #expect(try await stack.end(of: task).status == "FINISHED_SUCCESS")
            let modules = try ReadBacktrace(try await stack.get(task, "/backtrace.json").body).modules
            #expect(
                modules.allSatisfy { $0.package != nil || $0.reason != nil || $0.status == "virtual" }, "\(modules)")
            let statuses = Dictionary(
                modules.map { (String($0.path.split(separator: "/").last ?? ""), $0.status) }
            ) { first, _ in first }
            #expect(statuses["crashdemo"] == "complete" && statuses["libcrashdemo.so.1"] == "complete")
            #expect(statuses["libc.so.6"] == "without-debuginfo")
            #expect(modules.first { $0.path.contains("libc.so") }?.package?.hasPrefix("libc6-2.36-1") == true)
        }

        @Test func logTellsOfEveryStageAndNothingIsLeft() async throws {
            let stack = try runningStack()
            let task = try await stack.submit(try stack.crashFiles("plain"))
            #expect(try await stack.end(of: task).status == "FINISHED_SUCCESS")
            let log = try await stack.get(task, "/log").body
            for stage in [Stage.ingest, .resolve, .build, .retrace] {
                #expect(
                    log.contains("\(stage.rawValue) started") && log.contains("\(stage.rawValue) succeeded"), "\(log)")
            }
            #expect(stack.remains() == [])
            let kept = FolderContents.names(in: stack.spool.appending(task.id.description))
            #expect(Set(kept).isSubset(of: ["backtrace", "backtrace.json", "retrace-log", "attempts", "results"]))
        }

        @Test func wrongPasswordIsRefused() async throws {
            let stack = try runningStack()
            let task = try await stack.submit(try stack.crashFiles("plain"))
            _ = try await stack.end(of: task)
            for path in ["", "/backtrace", "/backtrace.json", "/log"] {
                #expect(try await stack.get(task, path, password: "not-the-password").status == 403)
            }
        }
    }
}
