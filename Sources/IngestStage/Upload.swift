import Archives
import Coredumps
package import CrashModel
import ELF
import Glibc
package import SystemPackage
package import TaskStorage

/// What a client sent and what it says of it.
package struct Upload: Hashable, Sendable {
    /// The task; the upload is in it unless ``serverPath`` says otherwise.
    package let directory: TaskDirectory
    /// The media type that the client declared, without parameters.
    package let contentType: String
    /// What the client says that it is.
    package let kind: DumpKind
    /// A file that is on the server already, by an operator's word.
    package let serverPath: FilePath?

    /// - Parameter taskType: `X-Task-Type`: 2 and 4 are kernel dumps, anything else is the core of a process.
    package init(_ directory: TaskDirectory, contentType: String, taskType: Int, serverPath: String? = nil) {
        self.directory = directory
        self.contentType = contentType
        kind = taskType == 2 || taskType == 4 ? .vmcore : .coredump
        self.serverPath = serverPath.map { FilePath($0) }
    }

    /// The file with what was sent.
    var file: FilePath { serverPath ?? directory.upload }

    /// Whether the file is a kernel's dump as it is, neither packed nor compressed.
    func isPlainKernelDump() -> Bool {
        guard kind == .vmcore, let source = try? FileByteSource(file),
            case .vmcore = try? dumpKind(of: source)
        else { return false }
        return true
    }

    /// Why the file is refused, when it is neither an archive nor compressed nor a kernel's dump.
    func refusal() -> StageError {
        do {
            let format = try dumpKind(of: FileByteSource(file)).kernelFormat()
            return StageError(vmcore: .unreadable("the file has just become a dump of the kind \(format.rawValue)"))
        } catch let error as CoredumpError {
            return StageError(vmcore: error)
        } catch {
            return StageError(vmcore: .unreadable("\(error)"))
        }
    }
}

/// How far ingest is.
package enum IngestProgress: Hashable, Sendable {
    /// So many bytes are unpacked, of the dump of this kernel where that is known already.
    case unpacked(Int64, KernelDump?)
    /// The dump is of this kernel.
    case kernel(KernelDump)
    /// So many bytes of the flattened dump of this kernel are in their places.
    case rearranged(Int64, KernelDump)

    /// The kernel that was dumped, as soon as it is known.
    package var kernel: KernelDump? {
        switch self {
        case .unpacked(_, let dump): dump
        case .kernel(let dump), .rearranged(_, let dump): dump
        }
    }

    /// What a person who waits is told.
    package var message: String {
        switch self {
        case .unpacked(let bytes, _): "\(bytes >> 20) MiB are unpacked."
        case .kernel(let dump):
            (dump.release.map { "The dump is of kernel \($0)" } ?? "The dump does not say of which kernel it is")
                + (dump.buildID.map { ", build-id \($0)." } ?? ".")
        case .rearranged(let bytes, _): "\(bytes >> 20) MiB of the flattened dump are in their places."
        }
    }
}
