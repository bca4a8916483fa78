/// How long what is known of a task is kept.
package struct TaskLifetime: Hashable, Sendable {
    /// Hours after its end after which a task that ended well is removed (DeleteTaskAfter); nil for never.
    package var successHours: Int?
    /// The same for a task that failed (DeleteFailedTaskAfter).
    package var failureHours: Int?
    /// Hours after its end after which a task is packed into the archive instead (ArchiveTaskAfter); nil for never.
    package var archiveHours: Int?
    /// Hours of silence after which an unfinished task is given up, so that nobody waits for ever.
    package var silentHours: Int

    package init(successHours: Int? = 120, failureHours: Int? = 24, archiveHours: Int? = nil, silentHours: Int = 24) {
        self.successHours = successHours
        self.failureHours = failureHours
        self.archiveHours = archiveHours
        self.silentHours = silentHours
    }

    /// One thing that is kept, and how long, for the front page.
    struct Row: Equatable {
        let what: String
        let time: String
    }

    /// What is kept of a task, and for how long.
    var rows: [Row] {
        let never = "until the operator removes them"
        func after(_ hours: Int?) -> String { hours.map { "\(counted($0)) after the task’s end" } ?? never }
        let results =
            successHours == failureHours
            ? after(successHours) : "\(after(successHours)); of a task that failed \(after(failureHours))"
        var rows = [
            Row(
                what: "The upload and the coredump",
                time: "until the task ends; of debug and interactive tasks as long as the task itself"),
            Row(what: "Backtrace and log", time: results),
        ]
        if let archiveHours {
            rows.append(
                Row(what: "Finished tasks", time: "moved into the operator’s archive after \(counted(archiveHours))"))
        }
        return rows
    }

    private func counted(_ hours: Int) -> String { hours == 1 ? "1 hour" : "\(hours) hours" }
}
