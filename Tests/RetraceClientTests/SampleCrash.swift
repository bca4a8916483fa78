import Archives
import SystemPackage
import TestFixtures

@testable import RetraceClient

/// The build-id of the made-up `/usr/bin/demo`.
let demoBuildID = [UInt8](1...20)

/// The core of `/usr/bin/demo`, as Linux writes it.
func demoCore() -> [UInt8] {
    var core = ELFBuilder()
    let base: UInt64 = 0x10_0000
    core.notes = [
        core.threadNote(id: 4711, signal: 11),
        core.processNote(id: 4710, name: "demo", commandLine: "demo --crash"),
        core.filesNote([(base, base + 0x1000, 0, Array("/usr/bin/demo".utf8))]),
    ]
    core.segments = [
        .init(at: base, flags: 5, content: core.firstPage(buildIDs: [demoBuildID])),
        .init(at: 0x50_0000, flags: 6, content: [UInt8](repeating: 0, count: 64)),
    ]
    return core.build()
}

/// The program itself, with a build-id.
func demoProgram(buildID: [UInt8] = demoBuildID) -> [UInt8] { ELFBuilder().firstPage(buildIDs: [buildID]) }

func write(_ content: [UInt8], to path: FilePath) throws {
    let file = try FileDescriptor.open(
        path, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
    _ = try file.closeAfter { try file.writeAll(content) }
}

/// Fills a problem directory as ABRT does, with a file that is none of the server's business.
func makeProblemDirectory(_ directory: FilePath, without missing: Set<String> = []) throws {
    let files: [(String, [UInt8])] = [
        ("coredump", demoCore()), ("executable", Array("/usr/bin/demo".utf8)),
        ("package", Array("demo-1.2-3".utf8)), ("os_release", Array("Debian GNU/Linux 12 (bookworm)".utf8)),
        ("rootdir", Array("/srv/root".utf8)), ("environ", Array("SECRET=1".utf8)),
    ]
    for (name, content) in files where !missing.contains(name) { try write(content, to: directory.appending(name)) }
}

/// The members of a packed archive, in their order.
func members(of archive: PackedArchive) throws -> [(name: String, content: [UInt8])] {
    _ = try archive.descriptor.seek(offset: 0, from: .start)
    let reader = try ArchiveReader(archive.descriptor, formats: [.tar], compressions: [.xz, .zstd, .gzip])
    var found: [(String, [UInt8])] = []
    while let entry = try reader.nextEntry() {
        var content = [UInt8](repeating: 0, count: Int(entry.byteCount))
        while let block = try reader.nextBlock() {
            let start = Int(block.offset)
            content.replaceSubrange(start..<(start + block.bytes.count), with: block.bytes)
        }
        found.append((String(decoding: entry.path, as: UTF8.self), content))
    }
    return found
}

/// A machine where dpkg owns `/usr/bin/demo`.
func debianHost(
    program: [UInt8]? = demoProgram(), release: String? = "NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n",
    owned: String = "/usr/bin/demo"
) -> CrashHost {
    CrashHost(
        osRelease: { release }, startOfFile: { _ in program },
        run: { arguments in
            if arguments == ["dpkg-query", "--search", owned] { return "demo:amd64, demo:i386: \(owned)\n" }
            if arguments.starts(with: ["dpkg-query", "--show"]), arguments.last == "demo:amd64" {
                return "demo-1.2-3\n"
            }
            return nil
        })
}

/// The error that `work` throws; nil when it throws none.
func clientError(_ work: () async throws -> Void) async -> ClientError? {
    do {
        try await work()
        return nil
    } catch {
        return error as? ClientError
    }
}
