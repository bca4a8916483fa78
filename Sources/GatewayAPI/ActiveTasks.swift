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
    }

    private let state: Mutex<State>

    /// - Parameter pending: The tasks that were unfinished when the service started.
    package init(pending: [TaskID] = []) { state = Mutex(State(pending: Set(pending))) }

    /// Uploads and unfinished tasks: `running_tasks` of `/settings`.
    package var count: Int { state.withLock { $0.uploads + $0.pending.count } }

    /// The task has ended or has been removed.
    package func finished(_ task: TaskID) { state.withLock { _ = $0.pending.remove(task) } }

    /// Takes a place for an upload; nil when `limit` places are taken. The place is given back by ``UploadSlot/leave()``.
    func admit(limit: Int) -> UploadSlot? {
        let admitted = state.withLock { state in
            guard state.uploads + state.pending.count < limit else { return false }
            state.uploads += 1
            return true
        }
        return admitted ? UploadSlot(of: self) : nil
    }

    fileprivate func endUpload(as task: TaskID?, returning bytes: UInt64) {
        state.withLock { state in
            state.uploads -= 1
            state.reservedBytes -= bytes
            if let task { state.pending.insert(task) }
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

    fileprivate func giveBack(_ bytes: UInt64) { state.withLock { $0.reservedBytes -= bytes } }
}

/// The place of one upload among the active tasks, with the disk space that it will still fill.
final class UploadSlot: Sendable {
    private let owner: ActiveTasks
    /// The bytes still reserved; nil when the place has been given back.
    private let reserved = Mutex<UInt64?>(0)

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

    /// So many of the reserved bytes are on disk, where the file system counts them itself.
    func written(_ bytes: Int) {
        reserved.withLock { reserved in
            let returned = min(reserved ?? 0, UInt64(max(0, bytes)))
            owner.giveBack(returned)
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
            owner.endUpload(as: task, returning: bytes)
            reserved = nil
        }
    }
}
