import CrashModel
import Glibc
import SystemPackage
import TaskStorage
import TestFixtures

/// A file with these bytes.
func write(_ text: String, to path: FilePath) throws {
    let file = try FileDescriptor.open(
        path, .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite])
    try file.closeAfter { _ = try file.writeAll(text.utf8) }
}

func exists(_ path: FilePath) -> Bool {
    var facts = stat()
    return lstat(path.string, &facts) == 0
}

func mode(of path: FilePath) -> mode_t {
    var facts = stat()
    return lstat(path.string, &facts) == 0 ? facts.st_mode & 0o7777 : 0
}

/// An event of `task`; times are small numbers, as in `at: 3`.
func event(
    _ task: TaskID?, _ stage: Stage, _ kind: TaskEvent.Kind, at time: Int64, attempt: Int = 1, message: String = "…",
    fraction: Double? = nil, error: StageError? = nil, release: ReleaseID? = nil, facts: [String: String] = [:]
) -> TaskEvent {
    TaskEvent(
        task: task, releaseID: release, stage: stage, kind: kind, microseconds: time, message: message,
        fraction: fraction, error: error, attempt: attempt, facts: facts)
}

/// A store with one task in it.
func withStore(_ body: (TaskStore, TaskID) async throws -> Void) async throws {
    try await ScratchDirectory.with { directory in
        let store = try TaskStore(at: directory.appending("tasks.sqlite"))
        let task = TaskID.random()
        try await store.insert(task, type: 0, password: PasswordHash(of: "secret"), microseconds: 0)
        try await body(store, task)
    }
}
