import CrashModel
import HTTPTypes
import HummingbirdTesting
import NIOCore
import TestFixtures
import Testing

import struct Foundation.Data
import class Foundation.JSONSerialization

@testable import GatewayAPI
@testable import TaskStorage

@Suite struct StatusTests {
    @Test func statusAsJSONHasTheSameInDocumentedKeys() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask([.started, .progress], stage: .build)
            let text = try await client.get("/\(directory.task)", password: password)
            let json = try await client.get("/\(directory.task)", password: password, accept: "application/json")
            #expect(json.status == .ok && json.isWellFormed("application/json"))
            #expect(json.headers[.taskStatus] == "PENDING")
            let violations = try JSONSchema(named: "TaskStatus").violations(of: Array(json.body.readableBytesView))
            #expect(violations == [])
            let status = try object(json.text)
            #expect(status["text"] as? String == text.text)
            #expect(status["stage"] as? String == "build" && status["kind"] as? String == "progress")
            #expect(status["queue_position"] as? Int == 1 && status["last_event"] as? Int == 2)
            #expect((status["links"] as? [String: String])?["events"] == "/\(directory.task)/events")
        }
    }

    @Test func failureIsToldWithStageCodeReasonAndAdvice() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask([.started], stage: .resolve)
            let error = StageError(
                .resolve, StageError.Code("unknown-release"), "No\u{1b}.", advice: "Ask.", exitStatus: 3)
            _ = try await bench.store.apply(
                TaskEvent(
                    task: directory.task, stage: .resolve, kind: .failed, microseconds: 7, message: "No.", error: error)
            )
            let json = try await client.get("/\(directory.task)", password: password, accept: "application/json")
            #expect(json.headers[.taskStatus] == "FINISHED_FAILURE")
            #expect(try JSONSchema(named: "TaskStatus").violations(of: Array(json.body.readableBytesView)) == [])
            let failure = try object(json.text)["failure"] as? [String: Any]
            #expect(failure?["stage"] as? String == "resolve" && failure?["code"] as? String == "unknown-release")
            #expect(failure?["reason"] as? String == "No\u{fffd}." && failure?["advice"] as? String == "Ask.")
            #expect(failure?["exit_status"] as? Int == 3)
        }
    }

    @Test(
        arguments: [
            (nil, "text/plain"), ("*/*", "text/plain"), ("", "text/plain"), ("text/plain", "text/plain"),
            ("application/json", "application/json"), ("application/json, */*", "application/json"),
            ("application/json;q=0.5, text/plain", "text/plain"),
            ("text/plain;q=0.1, application/json", "application/json"),
            ("application/json;q=0", "text/plain"), ("nonsense;;;,,;q=", "text/plain"),
        ] as [(String?, String)])
    func formIsTheOneThatTheClientNames(accept: String?, type: String) async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask()
            let response = try await client.get("/\(directory.task)", password: password, accept: accept)
            #expect(response.headers[.contentType] == type)
        }
    }

    @Test func timeLeftIsToldByTheHistoryOfTheRelease() async throws {
        let history = StageHistory(
            releaseID: try ReleaseID("debian-12-x86_64"), tasks: 7,
            medians: [.ingest: 1_000_000, .resolve: 2_000_000, .build: 8_000_000, .retrace: 30_000_000])
        var outlook = Outlook(of: try snapshot(nil, nil, ahead: 2), history: history, now: 0)
        #expect(
            outlook.message.description
                == "About 45 s of work once its turn comes, by the last 7 crashes of debian-12-x86_64.")
        outlook = Outlook(of: try snapshot(.build, .progress, started: 1_000_000), history: history, now: 5_000_000)
        #expect(outlook.remaining == 34_000_000)
        #expect(outlook.message.description == "About 35 s left, by the last 7 crashes of debian-12-x86_64.")
        outlook = Outlook(of: try snapshot(.build, .progress, started: 0), history: history, now: 60_000_000)
        #expect(outlook.isOverdue)
        #expect(outlook.message.description.hasPrefix("This stage takes longer than usual (10 s"))
    }

    @Test func withoutAHistoryNoTimeIsInvented() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask([.started], stage: .build)
            let text = try await client.get("/\(directory.task)", password: password).text
            #expect(text.contains("cannot be told") && !text.contains("About"))
            let json = try await client.get("/\(directory.task)", password: password, accept: "application/json")
            #expect(try object(json.text)["eta_seconds"] == nil)
        }
    }

    @Test(
        arguments: [
            (1, "1 s"), (4_000_001, "5 s"), (5_000_001, "10 s"), (59_000_000, "60 s"), (61_000_000, "2 min"),
            (7_300_000_000, "3 h"),
        ] as [(Int64, String)])
    func timesAreCoarse(microseconds: Int64, text: String) { #expect(Outlook.coarse(microseconds) == text) }

    private func snapshot(
        _ stage: Stage?, _ kind: TaskEvent.Kind?, started: Int64 = 0, ahead: Int = 0
    ) throws -> TaskSnapshot {
        TaskSnapshot(
            task: RetraceTask(
                id: try TaskID("123456789"), type: 0, state: .pending, created: 0, finished: nil, stage: stage,
                stageKind: kind, attempt: 1, message: nil, fraction: nil, releaseID: nil, package: nil, signal: nil,
                failure: nil),
            ahead: ahead, timings: stage.map { [StageTiming(stage: $0, started: started, succeeded: nil)] } ?? [],
            facts: [:], lastEvent: 1, events: [])
    }

    private func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }
}
