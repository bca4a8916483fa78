import CrashModel
package import ELF

/// Reads what a kernel's dump says of itself: a few pages of it, whatever its size.
///
/// Where no header names the kernel, the first 64,000,000 bytes of the memory are searched. What is damaged or missing is
/// a remark, and no release at all is an answer too; only what leaves nothing to say is an error. Reading blocks: call it
/// on a thread that may wait.
///
/// - Parameters:
///   - file: The name of the dump in `crash/`, for ``KernelDump/file``.
///   - memory: The memory of a VMware machine, `.vmem`, where it lies beside the snapshot, and its name in `crash/`.
/// - Throws: ``CoredumpError`` when the file is no kernel's dump, one part of several, or of an unknown machine.
package func readVmcore(
    _ source: any ByteSource, file: String = "vmcore", memory: (source: any ByteSource, name: String)? = nil
) throws(CoredumpError) -> Vmcore {
    let format = try dumpKind(of: source).kernelFormat()
    do {
        var reader = VmcoreReader(source, format, file: file, memory: memory)
        return try reader.read()
    } catch let error as ELFError {
        switch error {
        case .unreadable(let cause): throw .unreadable(cause)
        case .notELF, .truncated, .malformed: throw .malformed("The dump is damaged: \(error).")
        }
    } catch let error as CoredumpError {
        throw error
    } catch {
        throw .unreadable("\(error)")
    }
}
