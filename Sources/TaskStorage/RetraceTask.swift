package import CrashModel

/// One row of the task database: what is known of a task right now.
package struct RetraceTask: Sendable, Equatable {
    package let id: TaskID
    /// The `X-Task-Type` of the client: 0 coredump, 1 coredump debug, 2 vmcore, 3 and 4 the interactive kinds.
    package let type: Int
    package let state: TaskState
    /// Microseconds since the epoch of Unix, as are all times here.
    package let created: Int64
    package let finished: Int64?
    /// The furthest stage that the task is known to have reached.
    package let stage: Stage?
    /// What the stage said last: which kind of event, in which attempt.
    package let stageKind: TaskEvent.Kind?
    package let attempt: Int?
    /// The sentence of the last event of that stage.
    package let message: String?
    /// How much of the stage is done, from 0 to 1, where that is known.
    package let fraction: Double?
    package let releaseID: ReleaseID?
    /// The package that crashed, as the furthest stage knows it.
    package let package: String?
    package let signal: String?
    /// Set when ``state`` is `failure`.
    package let failure: StageError?
}

/// The state of a task; the raw values are the words of the header `X-Task-Status`, which ABRT's clients compare.
package enum TaskState: String, Sendable, CaseIterable {
    case pending = "PENDING"
    case success = "FINISHED_SUCCESS"
    case failure = "FINISHED_FAILURE"
}

/// One event of a task as it was kept.
package struct RecordedEvent: Sendable, Equatable {
    package let stage: Stage
    package let kind: TaskEvent.Kind
    package let attempt: Int
    package let microseconds: Int64
    package let message: String
    package let fraction: Double?
    /// Its place among the task's events, from 1, in the order in which they became known. It stays the same for ever,
    /// but that the row of a stage's progress takes a new number each time.
    package let number: Int
}

/// What is known of a task at one moment, read in one go.
package struct TaskSnapshot: Sendable, Equatable {
    package let task: RetraceTask
    /// How many unfinished tasks are older; 0 for a finished one.
    package let ahead: Int
    package let timings: [StageTiming]
    /// The latest stage's word for each name.
    package let facts: [String: String]
    /// The number of the newest event; 0 where there is none.
    package let lastEvent: Int
    /// The events that were asked for, by number.
    package let events: [RecordedEvent]
    /// Another one whenever anything of the task has changed; 0 where it may change while it is looked at.
    package var version: UInt64 = 0
}

/// When a stage worked on a task, in microseconds since the epoch.
package struct StageTiming: Sendable, Equatable {
    package let stage: Stage
    /// The start of the first attempt.
    package let started: Int64
    /// nil while the stage has not succeeded.
    package let succeeded: Int64?

    /// Microseconds from the first start to success; never negative, even where the clocks of two hosts differ.
    package var microseconds: Int64? { succeeded.map { max(0, $0 - started) } }
}

/// What became of the last synchronisation of a release's mirror.
package struct SyncStatus: Sendable, Equatable {
    package let releaseID: ReleaseID
    package let kind: TaskEvent.Kind
    package let microseconds: Int64
    package let message: String
    package let fraction: Double?
    /// When a synchronisation last ended well, in microseconds since the epoch.
    package let succeeded: Int64?
    package let errorCode: String?
    package let errorReason: String?
}

/// What an event did to the database.
package enum EventOutcome: Sendable, Equatable {
    /// It is recorded, and the task (or synchronisation) goes on.
    case recorded
    /// It was known already, or says nothing new.
    case unchanged
    /// It ended the task.
    case finished(TaskState)
    /// No such task: it was refused at the door or has been removed.
    case unknownTask
}
