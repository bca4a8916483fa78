import Glibc
import NIOHTTP1
import Sandbox
import SystemPackage
import TestFixtures

extension Stack {
    /// Uploads a kernel's dump as it is and expects it to be accepted.
    func submit(kernel dump: [UInt8], taskType: Int = 2) async throws -> SubmittedTask {
        let answer = try await create(dump, type: "application/octet-stream", taskType: taskType)
        guard let task = try answer.task() else {
            throw Failure(description: "the dump was answered with \(answer.status): \(answer.body)\n\(await said())")
        }
        return task
    }

    /// Uploads a kernel's dump, which must be analysed.
    func analysed(_ dump: [UInt8]) async throws -> DecodedKernel {
        let task = try await submit(kernel: dump)
        let end = try await end(of: task)
        guard end.status == "FINISHED_SUCCESS" else {
            throw Failure(description: "the dump was not analysed: \(end.text)\n\(await said())")
        }
        return try DecodedKernel(try await get(task, "/backtrace.json").body)
    }

    /// Runs the command of users against this stack.
    func retrace(_ arguments: [String]) async throws -> ChildResult {
        try await runTool(
            [Stack.products.appending("retrace").string] + arguments,
            environment: [
                "RETRACE_SERVER_URI": "http://127.0.0.1:\(await address.port)", "RETRACE_AMQP_URL": node.url,
                "HOME": directory.string, "TMPDIR": directory.string,
            ], limits: SandboxLimits(wallTime: .seconds(90), fileBytes: 4 << 30))
    }

    /// From now on the services' peaks of memory are counted anew (proc(5), `clear_refs`).
    func forgetPeaks() async throws {
        for service in services {
            guard let pid = await service.pid else { throw Failure(description: "the \(service.name) does not run") }
            try FolderContents.write("5".utf8, to: FilePath("/proc/\(pid)/clear_refs"))
        }
    }

    /// The most memory that each service had in RAM since, in KiB (`VmHWM`).
    func peaks() async throws -> [String: Int] {
        var peaks: [String: Int] = [:]
        for service in services {
            guard let pid = await service.pid else { throw Failure(description: "the \(service.name) does not run") }
            let text = String(decoding: try FolderContents.read(FilePath("/proc/\(pid)/status")), as: UTF8.self)
            let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
            peaks[service.name] =
                line.split(separator: " ").compactMap { Int($0) }.first
                ?? Int(line.filter(\.isNumber))
        }
        return peaks
    }
}

/// Writes a dump of the kernel in ELF anew, with so many bytes of further memory at the end, all of them a hole.
///
/// 64-bit little-endian only (elf(5)); the table of segments must have room for one more before the notes.
func makeSparse(_ file: FilePath, of dump: FilePath, more bytes: Int) async throws {
    _ = try await runTool(
        ["cp", "--sparse=always", dump.string, file.string], limits: SandboxLimits(fileBytes: 4 << 30))
    let descriptor = try FileDescriptor.open(file, .readWrite)
    defer { try? descriptor.close() }
    var head = [UInt8](repeating: 0, count: 4096)
    _ = try head.withUnsafeMutableBytes { try descriptor.read(fromAbsoluteOffset: 0, into: $0) }
    func number(_ offset: Int, _ size: Int) -> Int { (0..<size).reduce(0) { $0 | Int(head[offset + $1]) << (8 * $1) } }
    func put(_ value: Int, at offset: Int, _ size: Int) {
        for place in 0..<size { head[offset + place] = UInt8(truncatingIfNeeded: value >> (8 * place)) }
    }
    let count = number(0x38, 2)
    let place = number(0x20, 8) + count * 56
    let end = Int(try descriptor.seek(offset: 0, from: .end) + 4095) & ~4095
    guard (1...60).contains(count),
        place + 56 <= (0..<count).map({ number(number(0x20, 8) + $0 * 56 + 8, 8) }).min() ?? 0
    else { throw Stack.Failure(description: "\(dump) has no room for another segment") }
    // PT_LOAD, readable and writable; at 4 GiB of physical memory, where the small machine has none.
    put(1 | 6 << 32, at: place, 8)
    put(end, at: place + 8, 8)
    put(0, at: place + 16, 8)
    put(1 << 32, at: place + 24, 8)
    put(bytes, at: place + 32, 8)
    put(bytes, at: place + 40, 8)
    put(0, at: place + 48, 8)
    put(count + 1, at: 0x38, 2)
    _ = try head.withUnsafeBytes { try descriptor.write(toAbsoluteOffset: 0, $0) }
    guard ftruncate(descriptor.rawValue, end + bytes) == 0 else { throw Errno(rawValue: errno) }
}
