package import CrashModel
import Synchronization

/// What is in work: uploads on their way in, unfinished tasks, and the disk space that uploads have yet to fill.
///
/// Counting and admitting are one step, so that no two requests both get the last place.
package final class ActiveTasks: Sendable {
    private struct State {
        var uploads = 0
        var reservedBytes: UInt64 = 0
        var pending: Set<TaskID>
        /// What each limited client holds, and which of the tasks are whose.
        var holdings: [Int: Holding] = [:]
        var owners: [TaskID: Int] = [:]

        mutating func change(_ client: Int?, _ body: (inout Holding) -> Void) {
            guard let client else { return }
            var holding = holdings[client] ?? Holding()
            body(&holding)
            holdings[client] = holding == Holding() ? nil : holding
        }
    }

    private struct Holding: Equatable {
        /// Of uploads and unfinished tasks.
        var places = 0
        var reservedBytes: UInt64 = 0
    }

    private let state: Mutex<State>

    /// - Parameter pending: The tasks that were unfinished when the service started.
    package init(pending: [TaskID] = []) { state = Mutex(State(pending: Set(pending))) }

    /// Uploads and unfinished tasks: `running_tasks` of `/settings`.
    package var count: Int { state.withLock { $0.uploads + $0.pending.count } }

    /// The task has ended or has been removed.
    package func finished(_ task: TaskID) {
        state.withLock { state in
            state.pending.remove(task)
            state.change(state.owners.removeValue(forKey: task)) { $0.places -= 1 }
        }
    }

    /// How many clients hold something.
    var clientCount: Int { state.withLock { $0.holdings.count } }

    /// Takes a place for an upload; nil when `limit` places are taken. The place is given back by ``UploadSlot/leave()``.
    func admit(limit: Int) -> UploadSlot? {
        let admitted = state.withLock { state in
            guard state.uploads + state.pending.count < limit else { return false }
            state.uploads += 1
            return true
        }
        return admitted ? UploadSlot(of: self) : nil
    }

    fileprivate func endUpload(of client: Int?, as task: TaskID?, returning bytes: UInt64) {
        state.withLock { state in
            state.uploads -= 1
            state.reservedBytes -= bytes
            if let task {
                state.pending.insert(task)
                state.owners[task] = client
            }
            state.change(client) { holding in
                holding.reservedBytes -= bytes
                if task == nil { holding.places -= 1 }
            }
        }
    }

    fileprivate func claim(_ bytes: UInt64, for client: Int, within share: ClientShare) -> ClientShare.Excess? {
        state.withLock { state in
            let holding = state.holdings[client] ?? Holding()
            guard holding.places < share.places else { return .places }
            // One upload may be as large as any, or a small disk would take none.
            guard holding.reservedBytes == 0 || holding.reservedBytes + bytes <= share.bytes else { return .bytes }
            state.change(client) { holding in
                holding.places += 1
                holding.reservedBytes += bytes
            }
            return nil
        }
    }

    fileprivate func reserve(_ bytes: UInt64, of free: UInt64, keeping kept: UInt64) -> Bool {
        state.withLock { state in
            let (needed, overflow) = bytes.addingReportingOverflow(state.reservedBytes)
            guard !overflow, free >= kept, free - kept >= needed else { return false }
            state.reservedBytes += bytes
            return true
        }
    }

    fileprivate func giveBack(_ bytes: UInt64, of client: Int?) {
        state.withLock { state in
            state.reservedBytes -= bytes
            state.change(client) { $0.reservedBytes -= bytes }
        }
    }
}

/// The place of one upload among the active tasks, with the disk space that it will still fill.
final class UploadSlot: Sendable {
    private let owner: ActiveTasks
    /// The bytes still reserved; nil when the place has been given back.
    private let reserved = Mutex<UInt64?>(0)
    /// Whose share it counts for; nil for nobody's.
    private let client = Mutex<Int?>(nil)

    fileprivate init(of owner: ActiveTasks) { self.owner = owner }

    /// Reserves space for the upload.
    ///
    /// - Parameters:
    ///   - bytes: How large the upload says it is.
    ///   - free: What the file system has left; other uploads' reservations are taken off.
    ///   - kept: What must stay free.
    /// - Returns: false when there is not enough.
    func reserve(_ bytes: UInt64, of free: UInt64, keeping kept: UInt64) -> Bool {
        reserved.withLock { reserved in
            guard reserved != nil, owner.reserve(bytes, of: free, keeping: kept) else { return false }
            reserved = (reserved ?? 0) + bytes
            return true
        }
    }

    /// Counts place and space for a client's share from now on, also when the upload has become a task.
    ///
    /// - Returns: Of what it would be too much; nothing is counted then.
    func claim(for client: Int, within share: ClientShare) -> ClientShare.Excess? {
        reserved.withLock { reserved in
            guard let bytes = reserved else { return nil }
            let excess = owner.claim(bytes, for: client, within: share)
            if excess == nil { self.client.withLock { $0 = client } }
            return excess
        }
    }

    /// So many of the reserved bytes are on disk, where the file system counts them itself.
    func written(_ bytes: Int) {
        reserved.withLock { reserved in
            let returned = min(reserved ?? 0, UInt64(max(0, bytes)))
            owner.giveBack(returned, of: client.withLock { $0 })
            reserved = reserved.map { $0 - returned }
        }
    }

    /// The upload is in and has become a task.
    func become(_ task: TaskID) { end(as: task) }

    /// The upload is over; nothing happens when it has become a task.
    func leave() { end(as: nil) }

    private func end(as task: TaskID?) {
        reserved.withLock { reserved in
            guard let bytes = reserved else { return }
            owner.endUpload(of: client.withLock { $0 }, as: task, returning: bytes)
            reserved = nil
        }
    }
}
