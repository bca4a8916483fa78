package import SystemPackage

extension TaskDirectory {
    /// Marks a task whose dump stays when the task ends, for whoever opens it again: the debug and interactive types 1, 3
    /// and 4 of ABRT's API. The dump then goes with the whole task. Blocking.
    ///
    /// - Throws: `Errno` of open(2).
    package func keepDump() throws(Errno) {
        do {
            try FileDescriptor.open(
                dumpMark, .writeOnly, options: [.create, .noFollow, .closeOnExec], permissions: [.ownerReadWrite]
            ).close()
        } catch {
            throw error as? Errno ?? .ioError
        }
    }

    /// Whether ``keepDump()`` was called. Blocking.
    package var keepsDump: Bool { (try? ResultFile(at: dumpMark)) != nil }

    /// The same for whoever may not look into the directory. Blocking.
    ///
    /// - Throws: `Errno` of open(2), such as `permissionDenied`.
    package func isKept() throws(Errno) -> Bool { try ResultFile(at: dumpMark) != nil }

    private var dumpMark: FilePath { path.appending("keep-dump") }
}
