import Glibc
package import SystemPackage

extension TaskDirectory {
    /// The retracer's job of a task that is kept: what is needed to open the task again.
    private var retraceJob: FilePath { path.appending("retrace-job.json") }

    /// Writes the retracer's job of a task that is kept (``keepDump()``), readable by the services' user alone; it appears
    /// whole or not at all. Nothing to do for any other task, and for one that has just been deleted. Blocking.
    ///
    /// - Parameter job: The job, encoded.
    /// - Throws: `Errno` when it cannot be written.
    package func keepRetraceJob(_ job: [UInt8]) throws(Errno) {
        guard keepsDump else { return }
        let temporary = FilePath(retraceJob.string + ".new")
        unlink(temporary.string)
        do {
            let file = try FileDescriptor.open(
                temporary, .writeOnly, options: [.create, .exclusiveCreate, .noFollow, .closeOnExec],
                permissions: [.ownerReadWrite])
            try file.closeAfter { _ = try file.writeAll(job) }
        } catch Errno.noSuchFileOrDirectory {
            return
        } catch {
            throw error as? Errno ?? .ioError
        }
        guard rename(temporary.string, retraceJob.string) == 0 || errno == ENOENT else {
            throw Errno(rawValue: errno)
        }
    }

    /// The retracer's job, encoded; nil where no root was built, or the task is not kept. Blocking.
    ///
    /// - Parameter limit: What is larger is no job.
    /// - Throws: `Errno` when it cannot be read.
    package func keptRetraceJob(upTo limit: Int) throws(Errno) -> [UInt8]? {
        guard let file = try ResultFile(at: retraceJob), file.byteCount <= limit else { return nil }
        return try file.read(at: 0, count: file.byteCount)
    }
}
