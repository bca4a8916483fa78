package import CrashModel

/// What the dump of a kernel tells without the kernel's symbols.
package struct Vmcore: Hashable, Sendable {
    /// What goes on to the other services; modules and panic are nil, because only memory tells them.
    package let dump: KernelDump
    package let architecture: Architecture
    /// Release and version of the kernel as `uname -srvm` or its first log line tells them, at most 512 bytes; text of the
    /// dump, so it may hold anything.
    package let banner: String?
    /// `CRASHTIME` of VMCOREINFO, in seconds since 1970: when the kernel stopped.
    package let crashTime: UInt64?
    /// The size of the dump's file, in bytes.
    package let byteCount: UInt64
    /// How much of the dump is missing, where its headers tell.
    package let truncation: CoreTruncation?
    /// What a person should know, a sentence each. Text from the dump is escaped in them.
    package let remarks: [String]
    /// How much of the dump and its memory file was read, in bytes.
    package let bytesRead: UInt64
}
