import CrashModel
import TaskStorage

/// How long a task still takes, by the releases' own history.
struct Outlook: Equatable {
    /// Work that is left once the older tasks are out of the way, in microseconds; nil where there is nothing to go by.
    let remaining: Int64?
    /// Whether the stage has been at it for longer than is usual.
    let isOverdue: Bool
    /// How long the stage usually takes, in microseconds.
    let usual: Int64?
    let history: StageHistory
    /// How many unfinished tasks are older.
    let ahead: Int
    /// Whether the task waits for a worker.
    let isWaiting: Bool

    /// - Parameter now: Microseconds since the epoch of Unix.
    init(of snapshot: TaskSnapshot, history: StageHistory, now: Int64) {
        let task = snapshot.task
        self.history = history
        ahead = snapshot.ahead
        isWaiting = task.stage == nil || task.stageKind == .succeeded || task.stageKind == .retrying
        var later = Stage.ofATask.filter { $0 != .fetch || task.stage == .fetch }[...]
        if let stage = task.stage { later = later.drop { $0 != stage }.dropFirst() }
        let rest = later.reduce(0) { $0 + (history.medians[$1] ?? 0) }
        // The last stages decide; a history without them tells nothing.
        guard history.tasks > 0, history.medians[.retrace] != nil else {
            (remaining, isOverdue, usual) = (nil, false, nil)
            return
        }
        guard let stage = task.stage, !isWaiting, let median = history.medians[stage],
            let started = snapshot.timings.first(where: { $0.stage == stage })?.started
        else {
            (remaining, isOverdue, usual) = (
                rest + (isWaiting ? 0 : task.stage.flatMap { history.medians[$0] } ?? 0), false, nil
            )
            return
        }
        let elapsed = max(0, now - started)
        usual = median
        isOverdue = elapsed > 2 * median + 1_000_000
        remaining = rest + max(0, median - elapsed)
    }

    /// For a person; the figures are coarse, because ABRT's client prints the text whenever it changes.
    var message: Message {
        guard let remaining else {
            return history.releaseID.map { Message(.timeUnknownForRelease, ["release": $0]) } ?? Message(.timeUnknown)
        }
        if isOverdue, let usual {
            return Message(.longerThanUsual, ["time": Self.coarse(usual), "history": basis])
        }
        return Message(
            isWaiting && ahead > 0 ? .timeAfterOthers : .timeLeft, ["time": Self.coarse(remaining), "history": basis])
    }

    private var basis: Message {
        switch (history.releaseID, history.tasks) {
        case (let release?, 1): Message(.lastCrashOfRelease, ["release": release])
        case (let release?, let count): Message(.lastCrashesOfRelease, ["release": release, "count": count])
        case (nil, 1): Message(.lastCrash)
        case (nil, let count): Message(.lastCrashes, ["count": count])
        }
    }

    /// A time in steps that grow with it: `5 s`, `2 min`.
    static func coarse(_ microseconds: Int64) -> String {
        let seconds = max(1, (microseconds + 999_999) / 1_000_000)
        switch seconds {
        case ..<5: return "\(seconds) s"
        case ..<60: return "\((seconds + 4) / 5 * 5) s"
        case ..<7200: return "\((seconds + 59) / 60) min"
        default: return "\((seconds + 3599) / 3600) h"
        }
    }
}

extension Stage {
    /// The stages that a task goes through, in their order.
    static var ofATask: [Stage] { allCases.filter { $0 != .reposync } }
}
