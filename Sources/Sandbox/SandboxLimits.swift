/// What one child may use before it is stopped.
///
/// The kernel enforces the rlimits (setrlimit(2)) for each process; wall time and output are watched from outside.
package struct SandboxLimits: Hashable, Sendable {
    /// `RLIMIT_AS`: the address space of each process, in bytes.
    package var memoryBytes: UInt64
    /// `RLIMIT_CPU`: the processor time of each process, in seconds; over it SIGXCPU, five seconds later SIGKILL.
    package var cpuSeconds: UInt64
    /// How long the child may take in all; then everything that it started is killed.
    package var wallTime: Duration
    /// How much of standard output, and as much again of standard error, is kept, in bytes; over it the child is killed.
    package var outputBytes: Int
    /// `RLIMIT_FSIZE`: the size of any file that it writes, in bytes.
    package var fileBytes: UInt64
    /// `RLIMIT_NOFILE`: descriptors open at once in each process.
    package var openFiles: UInt64
    /// `RLIMIT_NPROC`: processes and threads of one sandbox; of a tool, all those of the service's user.
    package var processes: UInt64
    /// The size of each scratch file system, in bytes of memory.
    package var scratchBytes: UInt64

    package init(
        memoryBytes: UInt64 = 4 << 30, cpuSeconds: UInt64 = 600, wallTime: Duration = .seconds(600),
        outputBytes: Int = 64 << 20, fileBytes: UInt64 = 256 << 20, openFiles: UInt64 = 4096, processes: UInt64 = 512,
        scratchBytes: UInt64 = 64 << 20
    ) {
        self.memoryBytes = memoryBytes
        self.cpuSeconds = cpuSeconds
        self.wallTime = wallTime
        self.outputBytes = outputBytes
        self.fileBytes = fileBytes
        self.openFiles = openFiles
        self.processes = processes
        self.scratchBytes = scratchBytes
    }

    /// For small trusted tools, such as gpgv: a minute, 1 MiB of output.
    package static let tool = SandboxLimits(
        cpuSeconds: 60, wallTime: .seconds(60), outputBytes: 1 << 20, fileBytes: 16 << 30, processes: 4096)

    /// The options of prlimit(1) that set these limits, hard and soft; no core is ever dumped.
    var prlimitOptions: [String] {
        [
            "--as=\(memoryBytes)", "--cpu=\(cpuSeconds):\(cpuSeconds + 5)", "--fsize=\(fileBytes)",
            "--nofile=\(openFiles)", "--nproc=\(processes)", "--core=0",
        ]
    }
}
