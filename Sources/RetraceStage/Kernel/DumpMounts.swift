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
        let path = directory.dump(at: kernel.file)
        // Where an operator named a dump on the server, ingest has noted its path, and the sandbox sees it under its name.
        let name = kernel.file.hasPrefix("/") ? path.lastComponent?.string ?? "" : kernel.file
        guard Self.isBare(name) else { throw Self.outside }
        guard let memory = kernel.memoryFile else {
            dump = "\(Self.folder)/\(name)"
            binds = [SandboxBind(path, at: dump)]
            return
        }
        guard memory.hasPrefix("/") || Self.isBare(memory) else { throw Self.outside }
        // crash looks for the memory beside the snapshot, under the same name, and knows snapshots by theirs.
        let stem = Self.snapshots.contains { name.hasSuffix($0) } ? String(name.dropLast(5)) : name
        dump = "\(Self.folder)/\(stem == name ? name + ".vmss" : name)"
        binds = [
            SandboxBind(path, at: dump), SandboxBind(directory.dump(at: memory), at: "\(Self.folder)/\(stem).vmem"),
        ]
    }

    private static let snapshots = [".vmss", ".vmsn"]

    private static func isBare(_ name: String) -> Bool {
        !name.isEmpty && !name.hasPrefix(".") && !name.utf8.contains(UInt8(ascii: "/"))
    }

    private static var outside: StageError {
        StageError(.retrace, .internalError, "The job names a dump outside the folder of its task.")
    }
}
