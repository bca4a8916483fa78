/// What is known of a crash from the uploaded files alone.
package struct Crash: Hashable, Sendable {
    package let kind: DumpKind
    package let architecture: Architecture
    /// What the client wrote beside the core. All of it is hostile, and none of it is needed.
    package let reported: ReportedCrash
    /// The absolute path of the program that ran, from the core itself where it says so.
    package let executable: String
    /// The start of the command line, as the kernel noted it (at most 80 bytes).
    package let commandLine: String?
    /// The signal that ended the process; nil when the core names none (gcore).
    package let signal: CrashSignal?
    package let processID: Int?
    package let threadCount: Int
    /// Every file mapped as a program or library, the executable first, then by address; the vdso too.
    package let modules: [LoadedModule]
    /// Set when the core is shorter than its headers say.
    package let truncation: CoreTruncation?
    /// What the reader noticed and a person should know, a sentence each.
    package let remarks: [String]
    /// Set for a kernel's dump, whose ``executable`` is `/boot/vmlinuz-<release>` and whose one module is that kernel, at no
    /// known address.
    package let kernel: KernelDump?

    package init(
        kind: DumpKind, architecture: Architecture, reported: ReportedCrash, executable: String,
        commandLine: String? = nil, signal: CrashSignal? = nil, processID: Int? = nil, threadCount: Int,
        modules: [LoadedModule], truncation: CoreTruncation? = nil, remarks: [String] = [],
        kernel: KernelDump? = nil
    ) {
        self.kind = kind
        self.architecture = architecture
        self.reported = reported
        self.executable = executable
        self.commandLine = commandLine
        self.signal = signal
        self.processID = processID
        self.threadCount = threadCount
        self.modules = modules
        self.truncation = truncation
        self.remarks = remarks
        self.kernel = kernel
    }
}

/// The small text files of an ABRT problem directory, as the client sent them and trimmed of blanks at the ends.
package struct ReportedCrash: Hashable, Sendable {
    /// `executable`: the path of the program, by the client's word.
    package var executable: String?
    /// `package`: the package of the program, by the client's word, such as `bash-5.2.15-5.fc40`.
    package var package: String?
    /// `os_release`: either one line such as `Fedora release 40 (Forty)` or the whole of os-release(5).
    package var osRelease: String?
    /// `release`: the line of `/etc/redhat-release`, from old clients.
    package var release: String?
    /// `rootdir`: where the container's root was on the host.
    package var rootDirectory: String?
    /// `os_release_in_rootdir`: the container's own release.
    package var osReleaseInRootDirectory: String?

    package init(
        executable: String? = nil, package: String? = nil, osRelease: String? = nil, release: String? = nil,
        rootDirectory: String? = nil, osReleaseInRootDirectory: String? = nil
    ) {
        self.executable = executable
        self.package = package
        self.osRelease = osRelease
        self.release = release
        self.rootDirectory = rootDirectory
        self.osReleaseInRootDirectory = osReleaseInRootDirectory
    }
}

/// A core that ends before its own headers say it does.
package struct CoreTruncation: Hashable, Sendable {
    /// The size that the program headers call for, in bytes.
    package let expectedBytes: UInt64
    /// The size of the file, in bytes.
    package let actualBytes: UInt64

    package init(expectedBytes: UInt64, actualBytes: UInt64) {
        self.expectedBytes = expectedBytes
        self.actualBytes = actualBytes
    }
}

/// A signal of signal(7), under its number on the crashed machine.
package struct CrashSignal: Hashable, Sendable, CustomStringConvertible {
    package let number: Int

    package init(number: Int) { self.number = number }

    /// `SIGSEGV`, or `signal 42` for a number without a name that all of our architectures share.
    package var description: String { Self.names[number] ?? "signal \(number)" }

    private static let names = [
        1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE",
        9: "SIGKILL", 10: "SIGUSR1", 11: "SIGSEGV", 12: "SIGUSR2", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM",
        24: "SIGXCPU", 25: "SIGXFSZ", 31: "SIGSYS",
    ]
}
