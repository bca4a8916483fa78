import CrashModel
import FoundationEssentials
import NIOCore
import TaskStorage

/// One event of a stream of server-sent events (WHATWG HTML, 9.2).
struct ServerSentEvent {
    let name: String
    /// The number of the task's newest event: what the client sends as `Last-Event-ID` when it comes again.
    let id: Int
    /// One line.
    let data: [UInt8]

    func write(to buffer: inout ByteBuffer) {
        buffer.writeString("id: \(id)\nevent: \(name)\ndata: ")
        buffer.writeBytes(data)
        buffer.writeString("\n\n")
    }
}

/// What a stage said, as the event `stage` has it.
private struct StageNews: Encodable {
    let stage: String
    let kind: String
    let attempt: Int
    let microseconds: Int64
    let message: String
    let fraction: Double?
}

extension ServerSentEvent {
    /// What a stage said.
    init(_ event: RecordedEvent) throws {
        let news = StageNews(
            stage: event.stage.rawValue, kind: event.kind.rawValue, attempt: event.attempt,
            microseconds: event.microseconds, message: printable(event.message), fraction: event.fraction)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        self.init(name: "stage", id: event.number, data: Array(try encoder.encode(news)))
    }

    /// The status of the task, as `application/json` has it.
    ///
    /// - Parameter language: Of its text.
    init(_ report: TaskReport, in language: Language) throws {
        self.init(
            name: "status", id: report.snapshot.lastEvent,
            data: try report.document(in: language).encoded(pretty: false))
    }
}
