package import Sandbox

/// What one run of the debugger may use and how much of its answer is kept.
package struct RetraceLimits: Hashable, Sendable {
    /// The limits of the debugger's process.
    package var sandbox: SandboxLimits
    /// How much of `backtrace` is kept, in bytes; gdb is stopped when it prints more.
    package var textBytes: Int { sandbox.outputBytes }
    /// How many threads, and how many frames of each, go into `backtrace.json`.
    package var threads: Int
    package var frames: Int
    /// How much of one name or value is kept, in bytes.
    package var valueBytes: Int
    /// Whom the kernel takes the debugger for when the service is root.
    package var user: SandboxUser
    /// What is asked of a kernel's dump.
    package var kernel: KernelAnalysis

    package init(
        sandbox: SandboxLimits = SandboxLimits(
            memoryBytes: 4 << 30, cpuSeconds: 600, wallTime: .seconds(600), outputBytes: 32 << 20, fileBytes: 64 << 20,
            scratchBytes: 64 << 20),
        threads: Int = 4096, frames: Int = 2048, valueBytes: Int = 8192, user: SandboxUser = .nobody,
        kernel: KernelAnalysis = .standard
    ) {
        self.sandbox = sandbox
        self.threads = threads
        self.frames = frames
        self.valueBytes = valueBytes
        self.user = user
        self.kernel = kernel
    }
}
