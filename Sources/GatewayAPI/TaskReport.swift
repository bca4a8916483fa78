import CrashModel
import TaskStorage

/// What is said of a task at one moment, in every form that it is said in.
struct TaskReport {
    let snapshot: TaskSnapshot
    /// nil for a finished task.
    let outlook: Outlook?

    /// The body of the answer as text.
    func text(in language: Language) -> String {
        statusText(
            of: snapshot.task, ahead: snapshot.ahead, timings: snapshot.task.state == .success ? snapshot.timings : [],
            facts: snapshot.facts, in: language)
            + (outlook.map { $0.message.text(in: language) + "\n" } ?? "")
    }

    /// - Parameter language: Of the key `text`; every other key is the same in every language.
    func document(in language: Language) -> StatusDocument {
        StatusDocument(snapshot, outlook: outlook, text: text(in: language))
    }
}

extension GatewayDependencies {
    /// All that there is to say of a task now; nil when there is none.
    ///
    /// - Parameter number: Of the events, only those that became known after this one are given.
    func report(of id: TaskID, eventsAfter number: Int = .max) async throws -> TaskReport? {
        guard let snapshot = try await store.snapshot(of: id, eventsAfter: number) else { return nil }
        guard snapshot.task.state == .pending else { return TaskReport(snapshot: snapshot, outlook: nil) }
        var history = try await store.history(of: snapshot.task.releaseID)
        // Before the release is known, and where it has no history, all releases are better than nothing, and it is said.
        if history.tasks == 0, snapshot.task.releaseID != nil {
            let all = try await store.history(of: nil)
            if all.tasks > 0 { history = all }
        }
        return TaskReport(snapshot: snapshot, outlook: Outlook(of: snapshot, history: history, now: now()))
    }
}
