import CrashModel
import Synchronization

/// What was read of the tasks that were asked for last, so that clients who poll cost no read of the database.
///
/// It holds at most ``maximumCount`` tasks. Whoever changes a task says so after the change is in the database.
final class RecentTasks: Sendable {
    /// What answers a poll.
    struct Entry: Sendable {
        let password: ReadyPasswordHash
        let snapshot: TaskSnapshot
        /// How often the order of waiting tasks had changed when it was read.
        let order: UInt64
    }

    /// What a reader takes before it reads, so that nothing is kept that changed meanwhile.
    struct Ticket: Sendable {
        fileprivate let changes: UInt64
        fileprivate let order: UInt64
    }

    private struct State {
        var entries: [TaskID: Entry] = [:]
        var changes: UInt64 = 0
        var order: UInt64 = 0
        var versions: UInt64 = 0
    }

    private let state = Mutex(State())
    private static let maximumCount = 4096

    /// nil for a task that has to be read, among them each that waits while others came or went before it.
    func entry(_ id: TaskID) -> Entry? {
        state.withLock { state in
            guard let entry = state.entries[id] else { return nil }
            guard entry.snapshot.task.state == .pending, entry.order != state.order else { return entry }
            state.entries[id] = nil
            return nil
        }
    }

    func ticket() -> Ticket { state.withLock { Ticket(changes: $0.changes, order: $0.order) } }

    /// - Returns: The snapshot, with its version where it was kept.
    func keep(_ snapshot: TaskSnapshot, password: ReadyPasswordHash, since ticket: Ticket) -> TaskSnapshot {
        state.withLock { state in
            guard state.changes == ticket.changes, state.order == ticket.order else { return snapshot }
            state.versions += 1
            var snapshot = snapshot
            snapshot.version = state.versions
            if state.entries.count >= Self.maximumCount { state.entries.removeAll(keepingCapacity: true) }
            state.entries[snapshot.task.id] = Entry(password: password, snapshot: snapshot, order: ticket.order)
            return snapshot
        }
    }

    /// - Parameter changesOrder: Whether the task came, went, or no longer waits.
    func forget(_ id: TaskID, changesOrder: Bool) {
        state.withLock { state in
            state.entries[id] = nil
            state.changes &+= 1
            if changesOrder { state.order &+= 1 }
        }
    }
}
