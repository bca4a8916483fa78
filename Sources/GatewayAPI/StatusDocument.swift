import CrashModel
import FoundationEssentials
import TaskStorage

/// The status of a task as JSON, version 1; `services/messages/TaskStatus.schema.json` describes every key. Keys are only
/// ever added within a version.
struct StatusDocument: Encodable {
    let version = 1
    let task: String
    let state: String
    let text: String
    let stage: String?
    let kind: String?
    let activity: String?
    let attempt: Int?
    let message: String?
    let fraction: Double?
    let created: Int64
    let finished: Int64?
    let queuePosition: Int?
    let etaSeconds: Double?
    let etaTasks: Int?
    let etaRelease: String?
    let release: String?
    let package: String?
    let signal: String?
    let timings: [Timing]
    let facts: [String: String]
    let failure: Failure?
    let links: [String: String]
    let lastEvent: Int

    struct Timing: Encodable {
        let stage: String
        let started: Int64
        let succeeded: Int64?
        let seconds: Double?
    }

    struct Failure: Encodable {
        let stage: String
        let code: String
        let reason: String
        let advice: String?
        let exitStatus: Int?
        let toolOutput: String?

        enum CodingKeys: String, CodingKey {
            case stage, code, reason, advice
            case exitStatus = "exit_status"
            case toolOutput = "tool_output"
        }
    }

    enum CodingKeys: String, CodingKey {
        case version, task, state, text, stage, kind, activity, attempt, message, fraction, created, finished
        case queuePosition = "queue_position"
        case etaSeconds = "eta_seconds"
        case etaTasks = "eta_tasks"
        case etaRelease = "eta_release"
        case release, package, signal, timings, facts, failure, links
        case lastEvent = "last_event"
    }

    /// - Parameters:
    ///   - outlook: nil for a finished task.
    ///   - text: The same in words, as `text/plain` has it.
    init(_ snapshot: TaskSnapshot, outlook: Outlook?, text: String) {
        let task = snapshot.task
        self.task = task.id.description
        state = task.state.rawValue
        self.text = text
        stage = task.stage?.rawValue
        kind = task.stageKind?.rawValue
        activity = task.state == .pending ? task.stage?.activity : nil
        attempt = task.attempt
        message = task.message.map(printable)
        fraction = task.fraction
        created = task.created
        finished = task.finished
        queuePosition = task.state == .pending ? snapshot.ahead + 1 : nil
        etaSeconds = outlook?.remaining.map { (Double($0) / 1e5).rounded() / 10 }
        etaTasks = outlook.map(\.history.tasks)
        etaRelease = outlook?.history.releaseID?.description
        release = task.releaseID?.description
        package = task.package.map(printable)
        signal = task.signal.map(printable)
        timings = snapshot.timings.map {
            Timing(
                stage: $0.stage.rawValue, started: $0.started, succeeded: $0.succeeded,
                seconds: $0.microseconds.map { Double($0) / 1e6 })
        }
        facts = snapshot.facts.mapValues(printable)
        failure = task.failure.map {
            Failure(
                stage: $0.stage.rawValue, code: $0.code.description, reason: printable($0.reason),
                advice: $0.advice.map(printable), exitStatus: $0.exitStatus, toolOutput: $0.toolOutput.map(printable))
        }
        links = Self.links(task)
        lastEvent = snapshot.lastEvent
    }

    private static func links(_ task: RetraceTask) -> [String: String] {
        var links = ["self": "/\(task.id)", "events": "/\(task.id)/events", "log": "/\(task.id)/log"]
        if task.state == .success {
            links["backtrace"] = "/\(task.id)/backtrace"
            links["backtrace_json"] = "/\(task.id)/backtrace.json"
            links["exploitable"] = "/\(task.id)/exploitable"
            links["results"] = "/\(task.id)/results"
        }
        return links
    }

    /// The JSON, on one line unless it is for a person.
    func encoded(pretty: Bool) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting =
            pretty ? [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted] : [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(self))
    }
}
