package import SystemPackage

extension TaskDirectory {
    /// Deletes the upload and everything that was unpacked of it; the results stay. Nothing to do when it is gone, or when
    /// it is to be kept (``keepDump()``).
    ///
    /// A core is a secret, so whoever ends a task calls this. It works relative to descriptors and follows no link.
    /// Blocking.
    ///
    /// - Throws: `Errno` of the first entry that would not go.
    package func removeDump() throws(Errno) {
        let own: OpenDirectory
        do {
            own = try OpenDirectory(at: path)
        } catch Errno.noSuchFileOrDirectory {
            return
        }
        guard !keepsDump else { return }
        // What a stage works in stays behind where that was killed, and it holds parts of the dump.
        let folders = [crash, crash.appendingSuffix(".partial"), logSession, session]
        for name in ([upload] + folders).compactMap(\.lastComponent?.string) {
            try own.remove(name)
        }
    }
}

extension FilePath {
    fileprivate func appendingSuffix(_ suffix: String) -> FilePath { FilePath(string + suffix) }
}
