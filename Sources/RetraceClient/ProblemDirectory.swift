import Coredumps
import CrashModel
import ELF
import Glibc
package import SystemPackage

/// The files to pack of one of ABRT's problem directories: those that ABRT's client packs, and no others.
///
/// Blocking.
///
/// - Parameter given: What replaces the text in the directory, or stands in for a file that it lacks.
/// - Throws: ``ClientError`` with `unusableInput` when a required file is missing, is no regular file, or the dump is
///   none; with `denied` when the system refuses access.
package func readProblemDirectory(
    _ directory: FilePath, given: GivenFacts = GivenFacts()
) throws(ClientError) -> CrashFiles {
    if let files = try readKernelDirectory(directory) { return files }
    let stated: [CrashMember.Name: String?] = [
        .executable: given.executable, .package: given.package, .osRelease: given.release,
    ]
    var members: [CrashMember] = []
    var missing: [String] = []
    for name in CrashMember.Name.required + CrashMember.Name.optional {
        let path = directory.appending(name.rawValue)
        if let text = stated[name] ?? nil {
            members.append(CrashMember(name, .text(text)))
        } else if try isRegularFile(path) {
            members.append(CrashMember(name, .file(path)))
        } else if CrashMember.Name.required.contains(name) {
            missing.append(name.rawValue)
        }
    }
    guard missing.isEmpty else {
        throw ClientError(
            .unusableInput, "The directory \(printable(directory.string)) lacks \(missing.joined(separator: ", ")).",
            advice: "A problem directory has coredump, executable, package and os_release, or vmcore, or VMware's "
                + "vmcore.vmss or vmcore.vmsn with vmcore.vmem. "
                + "What lacks but the dump can be given with --executable, --package and --release.")
    }
    _ = try checkDump(directory.appending("coredump"), isKernel: false)
    return CrashFiles(members: members, taskType: 0)
}

/// The files of a directory with a kernel's dump; nil when it has none.
private func readKernelDirectory(_ directory: FilePath) throws(ClientError) -> CrashFiles? {
    let memory = directory.appending(CrashMember.Name.vmcoreMemory.rawValue)
    let hasMemory = try isRegularFile(memory)
    for name in [CrashMember.Name.vmcore, .vmcoreSuspended, .vmcoreSnapshot] {
        let dump = directory.appending(name.rawValue)
        if try isRegularFile(dump), let format = try checkDump(dump, isKernel: true) {
            return kernelFiles(dump, format)
        }
    }
    guard hasMemory else { return nil }
    throw ClientError(
        .unusableInput,
        "The directory \(printable(directory.string)) has the memory of VMware's machine, vmcore.vmem, without the "
            + "snapshot that belongs to it.",
        advice: "Put the .vmss or .vmsn that VMware wrote beside it there too, as vmcore.vmss or vmcore.vmsn.")
}

/// Whether the path is a regular file; false when there is nothing.
///
/// - Throws: ``ClientError`` with `unusableInput` for a link, a directory, a device; `denied` when the system refuses.
private func isRegularFile(_ path: FilePath) throws(ClientError) -> Bool {
    var status = stat()
    guard lstat(path.string, &status) == 0 else {
        if errno == ENOENT { return false }
        let error = Errno(rawValue: errno)
        throw ClientError(
            error == .notDirectory ? .unusableInput : .denied, "\(printable(path.string)) cannot be read: \(error).",
            advice: "Problem directories usually belong to root: try with sudo.")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
        throw ClientError(
            .unusableInput, "\(printable(path.string)) is not a regular file, and only those are packed.",
            advice: "Put the file itself there instead of a link to it.")
    }
    return true
}

/// Looks at the first bytes of a dump, so that a wrong file is told here and not after the upload.
///
/// - Returns: The format of a kernel's dump.
private func checkDump(_ path: FilePath, isKernel: Bool) throws(ClientError) -> VmcoreFormat? {
    let found: DumpIdentification
    do {
        found = try dumpKind(of: FileByteSource(path))
    } catch {
        throw ClientError(unreadable: path, "\(error)")
    }
    switch found {
    case .coredump where !isKernel: return nil
    case .vmcore(let format) where isKernel: return format
    case .coredump:
        throw ClientError(
            .unusableInput, "\(printable(path.string)) is the core of a program, not of the kernel.",
            advice: "Name the file coredump.")
    case .vmcore:
        throw ClientError(
            .unusableInput, "\(printable(path.string)) is a dump of the kernel, not of a program.",
            advice: "Name the file vmcore.")
    case .unusable(let sentence):
        throw ClientError(.unusableInput, "\(printable(path.string)) is no dump. \(sentence)")
    }
}

extension ClientError {
    /// A file that cannot be opened or read.
    init(unreadable path: FilePath, _ cause: String) {
        self.init(
            .denied, "\(printable(path.string)) cannot be read: \(printable(cause))",
            advice: "Cores usually belong to the user whose program crashed, or to root: try with sudo.")
    }
}
