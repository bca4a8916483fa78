package import CrashModel

/// What the ELF core of a user process tells without any other file.
package struct Coredump: Hashable, Sendable {
    package let architecture: Architecture
    /// The path of the program that ran, as the kernel saw it; relative only in old cores without a list of files.
    package let executable: String?
    /// `AT_EXECFN`: the path that execve(2) was given; a script's own path where ``executable`` is its interpreter.
    package let startedAs: String?
    /// The start of the command line, at most 80 bytes of it; it may hold line breaks.
    package let commandLine: String?
    /// The signal that ended the process; nil when the core names none.
    package let signal: CrashSignal?
    /// The address whose use raised SIGSEGV, SIGBUS, SIGILL or SIGFPE.
    package let faultAddress: UInt64?
    package let processID: Int?
    /// The crashed thread first, as the kernel writes them.
    package let threads: [CoreThread]
    /// The executable first, then by address; the vdso too.
    package let modules: [LoadedModule]
    package let truncation: CoreTruncation?
    /// What a person should know, a sentence each. Text from the core is escaped in them.
    package let remarks: [String]
    /// How much of the core was read, in bytes.
    package let bytesRead: UInt64
}

/// One thread of the crashed process.
package struct CoreThread: Hashable, Sendable {
    /// The kernel's id of the thread (LWP).
    package let id: Int
    /// The signal that the thread was handling; nil for none.
    package let signal: CrashSignal?
}

/// Why a core could not be read at all.
package enum CoredumpError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The system refused to read the file; its word for the cause.
    case unreadable(String)
    /// The file is something else; the sentence says what.
    case notACoredump(String)
    /// An ELF core of a machine that no distribution here has: `e_machine`.
    case unknownMachine(UInt16)
    /// The headers contradict the ELF specification; the sentence says where.
    case malformed(String)
    /// The system refused to write what was made of the dump; its word for the cause.
    case unwritable(String)
    /// What was made of the dump would have so many bytes, more than may be.
    case tooLarge(UInt64)

    package var description: String {
        switch self {
        case .unreadable(let cause): "The core cannot be read: \(cause)."
        case .notACoredump(let sentence): sentence
        case .unknownMachine(let machine):
            "The core is of a machine that is not supported (ELF machine \(machine)); supported are "
                + Architecture.allCases.map(\.rawValue).joined(separator: ", ") + "."
        case .malformed(let sentence): sentence
        case .unwritable(let cause): "What was made of the dump cannot be written: \(cause)."
        case .tooLarge(let bytes): "The dump would have \(bytes) bytes when put in order, more than are allowed."
        }
    }
}
