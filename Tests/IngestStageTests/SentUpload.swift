import Archives
import CrashModel
import Glibc
import IngestStage
import SystemPackage
import TaskStorage
import TestFixtures

/// A task whose upload a test wrote, in a spool of its own.
struct SentUpload {
    let directory: TaskDirectory
    var contentType = "application/x-tar"
    var taskType = 0
    var serverPath: String?
    /// Small enough for bombs to go off quickly; free space does not matter to tests.
    var limits = IngestLimits(maxUnpackedBytes: 64 << 20, minFreeBytes: 0)

    /// Runs `body` with the upload and removes everything afterwards.
    static func with<Value>(_ bytes: [UInt8], _ body: (inout SentUpload) throws -> Value) throws -> Value {
        try ScratchDirectory.with { spool in
            var upload = SentUpload(directory: TaskDirectory(try TaskID("123456789"), in: spool))
            guard mkdir(upload.directory.path.string, 0o711) == 0 else { throw Errno(rawValue: errno) }
            try FolderContents.write(bytes, to: upload.directory.upload)
            return try body(&upload)
        }
    }

    /// What ingest says to it.
    func verdict(progress: @escaping (Int64) -> Void = { _ in }) -> Result<Crash, StageError> {
        verdict(steps: { if case .unpacked(let bytes, _) = $0 { progress(bytes) } })
    }

    /// As the other, with all that is told on the way.
    func verdict(steps: @escaping (IngestProgress) -> Void) -> Result<Crash, StageError> {
        Result { () throws(StageError) in
            try ingest(
                Upload(directory, contentType: contentType, taskType: taskType, serverPath: serverPath),
                limits: limits, progress: steps)
        }
    }

    /// The names in the task's directory and in its `crash/`.
    var leftovers: [String] {
        FolderContents.names(in: directory.path) + FolderContents.names(in: directory.crash).map { "crash/" + $0 }
    }
}

/// An ELF vmcore of a made-up kernel, with VMCOREINFO.
func sampleVmcore(
    _ info: String = sampleVmcoreInfo, memory: [UInt8] = [UInt8](repeating: 7, count: 8192)
) -> [UInt8] {
    var dump = ELFBuilder()
    if !info.isEmpty { dump.notes = [.init("VMCOREINFO", 0, Array(info.utf8))] }
    dump.segments = [.init(at: 0xffff_8880_0000_1000, flags: 7, content: memory, physicalAddress: 0x1000)]
    return dump.build()
}

let sampleRelease = "6.1.0-56-cloud-amd64"
let sampleVmcoreInfo = "OSRELEASE=\(sampleRelease)\nBUILD-ID=0102030405060708\nPAGESIZE=4096\n"

/// A flattened dump (`makedumpfile -F`) out of blocks and the places that they belong to.
func sampleFlattened(_ blocks: [(offset: Int64, content: [UInt8])]) -> [UInt8] {
    func big(_ number: Int64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) } }
    var flat = Array("makedumpfile\0\0\0\0".utf8) + big(1) + big(1)
    flat += [UInt8](repeating: 0, count: 4096 - flat.count)
    for block in blocks { flat += big(block.offset) + big(Int64(block.content.count)) + block.content }
    return flat + big(-1) + big(-1)
}

/// The core of a made-up `/usr/bin/demo`, as Linux writes it.
func sampleCore(memory: [UInt8] = [UInt8](repeating: 0, count: 64)) -> [UInt8] {
    var core = ELFBuilder()
    let base: UInt64 = 0x10_0000
    core.notes = [
        core.threadNote(id: 4711, signal: 11),
        core.processNote(id: 4710, name: "demo", commandLine: "demo --crash"),
        core.filesNote([(base, base + 0x1000, 0, Array("/usr/bin/demo".utf8))]),
    ]
    core.segments = [
        .init(at: base, flags: 5, content: core.firstPage(buildIDs: [[UInt8](1...20)])),
        .init(at: 0x50_0000, flags: 6, content: memory),
    ]
    return core.build()
}

/// The files of a crash as ABRT's client packs them; a test changes what it is about.
struct CrashFiles {
    var files: [(name: String, content: [UInt8])] = [
        ("coredump", sampleCore()), ("executable", Array("/usr/bin/demo".utf8)),
        ("package", Array("demo-1.2-3\n".utf8)), ("os_release", Array("Fedora release 40 (Forty)\n".utf8)),
    ]

    func replacing(_ name: String, with content: [UInt8]) -> CrashFiles {
        var changed = self
        changed.files.removeAll { $0.name == name }
        changed.files.append((name, content))
        return changed
    }

    func removing(_ name: String) -> CrashFiles {
        var changed = self
        changed.files.removeAll { $0.name == name }
        return changed
    }

    var tar: TarBuilder {
        files.reduce(into: TarBuilder()) { $0.add($1.name, content: $1.content) }
    }

    func packed(_ compression: ArchiveWriter.Compression) throws -> [UInt8] {
        try ScratchDirectory.with { folder in
            let path = folder.appending("archive")
            let file = try FileDescriptor.open(
                path, .writeOnly, options: [.create], permissions: [.ownerReadWrite])
            try file.closeAfter {
                let writer = try ArchiveWriter(file, compression: compression)
                for (name, content) in files { try writer.addFile(name, content: content) }
                try writer.finish()
            }
            return try FolderContents.read(path)
        }
    }
}

/// The bytes within one more gzip stream.
func gzipped(_ bytes: [UInt8]) throws -> [UInt8] { try compressed(bytes, .gzip) }
