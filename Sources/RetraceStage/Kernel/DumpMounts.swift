import CrashModel
import Sandbox
import SystemPackage
import TaskStorage

/// Where the files of a kernel's dump are inside a sandbox, whoever reads them there.
struct DumpMounts: Sendable {
    let binds: [SandboxBind]
    /// The dump inside the sandbox; of two files the one that is named to the reader.
    let dump: String

    private static let folder = "/.dump"

    /// - Throws: ``StageError`` when the dump's file has no bare name.
    init(of kernel: KernelDump, in directory: TaskDirectory) throws(StageError) {
        var binds: [SandboxBind] = []
        for file in [kernel.file] + [kernel.memoryFile].compactMap(\.self) {
            let path = directory.dump(at: file)
            // Where an operator named a dump on the server, ingest has noted its path, and the sandbox sees it under its name.
            let name = file.hasPrefix("/") ? path.lastComponent?.string ?? "" : file
            guard !name.isEmpty, !name.hasPrefix("."), !name.utf8.contains(UInt8(ascii: "/")) else {
                throw StageError(.retrace, .internalError, "The job names a dump outside the folder of its task.")
            }
            // crash looks for the memory beside the snapshot, under the same name.
            binds.append(SandboxBind(path, at: "\(Self.folder)/\(name)"))
        }
        self.binds = binds
        dump = binds.first?.target ?? Self.folder
    }
}
