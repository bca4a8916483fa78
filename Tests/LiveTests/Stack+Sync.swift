import CrashModel
import JobMessages
import MessageQueue

extension Stack {
    /// Asks reposync for a release and waits for what it says at the end.
    ///
    /// - Parameter packages: By name; empty for all.
    /// - Returns: The event of success, or the first with an error: trying again later would be an end to wait for.
    func synchronised(
        _ release: ReleaseID, _ packages: [String] = [], within limit: Duration = .seconds(300)
    ) async throws -> TaskEvent {
        let seen = await events.entries.count
        try await orderSynchronisation(of: release, packages)
        let end = await events.first(from: seen, within: limit) { event in
            event.stage == .reposync && event.releaseID == release && (event.kind == .succeeded || event.error != nil)
        }
        guard let end else { throw Failure(description: "the synchronisation has not ended\n\(await said())") }
        return end
    }

    /// Sends the job to reposync.
    func orderSynchronisation(of release: ReleaseID, _ packages: [String] = []) async throws {
        let job = ReposyncJob(releaseID: release, packages: packages, withClosure: true, requestedBy: "a test")
        try await queue.publish(
            .job(
                try JobCoding.encode(job), for: Stage.reposync.rawValue,
                properties: MessageProperties(type: "ReposyncJob")))
    }

    /// Synchronises the made release, which must do.
    func synchronise() async throws {
        let end = try await synchronised(made.release)
        guard end.kind == .succeeded else {
            throw Failure(
                description: "the made archive was not mirrored: \(end.message) \(String(describing: end.error))")
        }
    }

    /// Waits for an event of a task, or of any.
    func event(
        _ stage: Stage, _ kind: TaskEvent.Kind, of task: TaskID? = nil, from index: Int = 0,
        within limit: Duration = .seconds(180)
    ) async throws -> TaskEvent {
        let found = await events.first(from: index, within: limit) { event in
            event.stage == stage && event.kind == kind && (task == nil || event.task == task)
        }
        guard let found else { throw Failure(description: "no \(stage) \(kind) came\n\(await said())") }
        return found
    }
}
