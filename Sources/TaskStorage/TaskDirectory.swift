package import CrashModel
package import SystemPackage

/// Where everything of one task lies: `<spool>/<task>/`.
///
/// The gateway makes the directory, the stages fill it. It is the only place in which the upload ever is.
package struct TaskDirectory: Hashable, Sendable {
    package let task: TaskID
    package let path: FilePath

    /// - Parameters:
    ///   - task: The task; its id is the directory's name.
    ///   - spool: The directory of all tasks (`SaveDir` of the system that this one replaces).
    package init(_ task: TaskID, in spool: FilePath) {
        self.task = task
        path = spool.appending(task.description)
    }

    /// The archive as it was uploaded; gone when ingest has accepted it.
    package var upload: FilePath { path.appending("upload") }
    /// The unpacked members of the archive; gone when the task ends.
    package var crash: FilePath { path.appending("crash") }
    /// The core of a user process, in ``crash``.
    package var coredump: FilePath { crash.appending("coredump") }
    /// The dump of a kernel: in ``crash``, or where an operator has it on the server.
    package func vmcore(_ kernel: KernelDump) -> FilePath { dump(at: kernel.file) }
    /// A file of a dump, as ``CrashModel/KernelDump/file`` names it: relative to ``crash``, or absolute.
    package func dump(at name: String) -> FilePath {
        name.hasPrefix("/") ? FilePath(name) : crash.appending(name)
    }
    /// All files of a kernel's dump: ``vmcore(_:)``, and VMware's other one.
    package func dumps(of kernel: KernelDump) -> [FilePath] {
        [vmcore(kernel)] + [kernel.memoryFile].compactMap { $0.map { dump(at: $0) } }
    }
    /// The text that gdb printed, as clients fetch it.
    package var backtrace: FilePath { path.appending("backtrace") }
    /// The same stacks as data.
    package var backtraceJSON: FilePath { path.appending("backtrace.json") }
    /// What the stages did, line by line, for a person.
    package var log: FilePath { path.appending("retrace-log") }
    /// Further named results, such as `exploitable`.
    package var results: FilePath { path.appending("results") }
    /// The log of a kernel that crashed, one of ``results``.
    package var kernelLog: FilePath { results.appending("log") }
    /// What a kernel's debugger reads and writes while it runs; gone when the stage ends.
    package var session: FilePath { path.appending("session.partial") }
    /// Where a kernel's log is read out of its dump when that comes in; gone when that is done.
    package var logSession: FilePath { path.appending("log.partial") }
    /// The ledger of attempts: one file a stage, one byte an attempt.
    package var attempts: FilePath { path.appending("attempts") }
}
