package import CrashModel
package import ELF

/// Reads what the headers of a kernel's dump tell while the rest of it is still being written.
///
/// Formats lay headers and VMCOREINFO first, so a few MiB tell the kernel and its build-id. Nothing is searched, at most
/// 16 MiB are read, and nothing is said of what is missing: who has the whole dump reads it with
/// ``readVmcore(_:file:memory:)``, whose word counts. Reading blocks: call it on a thread that may wait.
///
/// - Returns: nil when the headers name no kernel, are damaged, or are not there yet.
package func readVmcoreBeginning(_ source: any ByteSource, file: String = "vmcore") -> KernelDump? {
    guard case .vmcore(let format) = try? dumpKind(of: source) else { return nil }
    var reader = VmcoreReader(source, format, file: file, memory: nil, limit: 16 << 20)
    return try? reader.readBeginning()
}
