package import CrashModel
import Glibc
import Packages
package import SystemPackage

/// Removes the crash root of a task from a package store; nothing to do when it is gone already.
///
/// - Parameter store: The directory of the package store, beside whose packages the roots are.
/// - Throws: ``CrashModel/StageError`` with `retry` when the file system refuses.
package func removeCrashRoot(of task: TaskID, in store: FilePath) async throws(StageError) {
    let place = CrashRootPlace(task: task, in: store.appending("roots"))
    try await blockingCalls("removing the crash root") { () throws(Errno) in try place.remove() }
}

extension ChrootBuilder {
    /// Removes the crash root of a task and what was built of it; nothing to do when all is gone already.
    ///
    /// - Throws: ``CrashModel/StageError`` with `retry` when the file system refuses.
    package func removeCrashRoot(of task: TaskID) async throws(StageError) {
        let place = CrashRootPlace(task: task, in: roots)
        try await blockingCalls("removing the crash root") { () throws(Errno) in
            try place.remove()
            try place.removePartial()
        }
    }

    /// Removes crash roots and half-built directories that no living task has any use for, and debugger roots that a
    /// newer one has replaced.
    ///
    /// Call it when the service starts, and from time to time.
    ///
    /// - Parameters:
    ///   - age: What changed more recently than that is left alone: it may be in the making, or in use. It must be longer
    ///     than a task can wait between its chroot and its debugger.
    ///   - kept: Debugger roots that stay, replaced or not, because a task that is kept may be opened again in them.
    ///   - isAlive: Whether the task still has its directory in the spool; called on a thread that may block.
    /// - Returns: The names of what was removed.
    /// - Throws: ``CrashModel/StageError`` with `retry` when the file system refuses.
    package func sweep(
        olderThan age: Duration, keeping kept: Set<FilePath> = [], isAlive: @escaping @Sendable (TaskID) -> Bool
    ) async throws(StageError) -> [String] {
        let limit = time(nil) - Int(age.components.seconds)
        let (roots, debuggers) = (roots, debuggers)
        return try await blockingCalls("sweeping old roots") { () throws(Errno) in
            let current = try Self.currentDebuggers(in: debuggers).union(
                kept.compactMap { $0.removingLastComponent() == debuggers ? $0.lastComponent?.string : nil })
            return try Self.sweep(roots, olderThan: limit) { Self.isHalf($0) || Self.isDead($0, isAlive) }
                + Self.sweep(debuggers, olderThan: limit) { name in
                    Self.isHalf(name) || (Self.isDebuggerRoot(name) && !current.contains(name))
                }
        }
    }

    /// Removes the crash roots of tasks that are gone, such as kept ones that were deleted. What is being built has another
    /// name and is left alone, so age does not matter.
    ///
    /// - Parameter isAlive: Whether the task still has its directory in the spool; called on a thread that may block.
    /// - Returns: The names of what was removed.
    /// - Throws: ``CrashModel/StageError`` with `retry` when the file system refuses.
    package func removeRootsOfDeadTasks(
        isAlive: @escaping @Sendable (TaskID) -> Bool
    ) async throws(StageError) -> [String] {
        let roots = roots
        return try await blockingCalls("removing roots of tasks that are gone") { () throws(Errno) in
            try Self.sweep(roots, olderThan: .max) { Self.isDead($0, isAlive) }
        }
    }

    /// Whether it is the root, or the root's manifest, of a task that is gone.
    private static func isDead(_ name: String, _ isAlive: (TaskID) -> Bool) -> Bool {
        let stem = name.hasSuffix(".json") ? String(name.dropLast(5)) : name
        return (try? TaskID(stem)).map { !isAlive($0) } ?? false
    }

    private static func sweep(
        _ directory: FilePath, olderThan limit: Int, _ isLeftOver: (String) -> Bool
    ) throws(Errno) -> [String] {
        try makeDirectory(directory)
        let handle = try DirectoryHandle(directory)
        var removed: [String] = []
        for entry in try handle.entries() {
            guard let status = handle.status(of: entry.name), status.st_ctim.tv_sec <= limit, isLeftOver(entry.text)
            else { continue }
            if entry.kind == .directory {
                try removeTree(directory.appending(entry.text))
            } else {
                guard unlink(directory.appending(entry.text).string) == 0 || errno == ENOENT else {
                    throw Errno(rawValue: errno)
                }
            }
            removed.append(entry.text)
        }
        return removed
    }

    /// Whether it was being built or removed when a process died.
    private static func isHalf(_ name: String) -> Bool { name.hasSuffix(".partial") || name.hasSuffix(".stale") }

    /// `<release-id>-<16 hexadecimal digits>`, or `<release-id>.kernel-…`; `host-…` for the host's.
    private static func isDebuggerRoot(_ name: String) -> Bool {
        guard let dash = name.lastIndex(of: "-") else { return false }
        let suffix = DebuggerPurpose.kernels.rawValue
        let stem = name[..<dash].hasSuffix(suffix) ? name[..<dash].dropLast(suffix.count) : name[..<dash]
        guard stem == HostDebugger.stem || (try? ReleaseID(stem)) != nil else { return false }
        let digest = name[name.index(after: dash)...]
        return digest.utf8.count == 16 && digest.allSatisfy(\.isHexDigit)
    }

    private static func currentDebuggers(in debuggers: FilePath) throws(Errno) -> Set<String> {
        try makeDirectory(debuggers)
        var names: Set<String> = []
        for entry in try DirectoryHandle(debuggers).entries() where entry.text.hasSuffix(".json") {
            if let manifest = try DebuggerManifest(at: debuggers.appending(entry.text)) {
                names.insert(manifest.directory)
            }
        }
        return names
    }
}
