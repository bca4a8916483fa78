import AsyncHTTPClient
import CrashModel
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Sandbox
import SystemPackage
import TestFixtures

/// A task as its client knows it.
struct SubmittedTask: Sendable {
    let id: TaskID
    let password: String
}

/// An HTTP answer.
struct Answer: Sendable {
    let status: Int
    let headers: HTTPHeaders
    let body: String

    func header(_ name: String) -> String? { headers.first(name: name) }

    /// The task that was made; nil where none was.
    func task() throws -> SubmittedTask? {
        guard status == 201, let id = header("X-Task-Id"), let password = header("X-Task-Password") else { return nil }
        return SubmittedTask(id: try TaskID(id), password: password)
    }
}

extension Stack {
    /// Packs files as ABRT's client does, a `tar.gz`.
    func packed(_ files: [String: [UInt8]]) async throws -> [UInt8] {
        try await ScratchDirectory.with { folder in
            for (name, content) in files { try FolderContents.write(content, to: folder.appending(name)) }
            _ = try await MadeRelease.shell(
                "GZIP=-1 tar -czf ../$(basename $PWD).tgz -- *; mv ../$(basename $PWD).tgz packed", in: folder)
            return try FolderContents.read(folder.appending("packed"))
        }
    }

    /// The files of a crash of one of the made programs.
    ///
    /// - Parameter padding: How many bytes that cannot be compressed stand after the core.
    func crashFiles(
        _ core: String, executable: String = "/usr/bin/crashdemo", padding: Int = 0
    ) throws -> [String: [UInt8]] {
        var state: UInt64 = 0x9e37_79b9_7f4a_7c15
        var noise: [UInt8] = []
        noise.reserveCapacity(padding)
        while noise.count < padding {
            // xorshift64
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            withUnsafeBytes(of: state) { noise.append(contentsOf: $0) }
        }
        return [
            "coredump": try FolderContents.read(made.core(core)) + noise, "executable": Array(executable.utf8),
            "package": Array(MadeRelease.package.utf8), "os_release": Array(MadeRelease.releaseText.utf8),
        ]
    }

    /// `POST /create`.
    func create(
        _ archive: [UInt8], type: String = "application/x-gzip", taskType: Int = 0
    ) async throws -> Answer {
        try await request(.POST, "/create", ["Content-Type": type, "X-Task-Type": "\(taskType)"], archive)
    }

    /// Uploads files and expects them to be accepted.
    func submit(_ files: [String: [UInt8]]) async throws -> SubmittedTask {
        try await submit(try await packed(files))
    }

    func submit(_ archive: [UInt8]) async throws -> SubmittedTask {
        let answer = try await create(archive)
        guard let task = try answer.task() else {
            throw Failure(description: "the upload was answered with \(answer.status): \(answer.body)\n\(await said())")
        }
        return task
    }

    func get(_ task: SubmittedTask, _ path: String = "", password: String? = nil) async throws -> Answer {
        try await request(.GET, "/\(task.id)\(path)", ["X-Task-Password": password ?? task.password])
    }

    /// Asks for the status, as clients do, until the task has ended.
    ///
    /// - Returns: `X-Task-Status`, and the text that stood below it.
    func end(of task: SubmittedTask, within limit: Duration = .seconds(180)) async throws -> (
        status: String, text: String
    ) {
        let deadline = ContinuousClock.now + limit
        var last = "nothing"
        while ContinuousClock.now < deadline {
            do {
                let answer = try await get(task)
                last = "\(answer.status) \(answer.body)"
                if let status = answer.header("X-Task-Status"), status != "PENDING" {
                    return (status, answer.body)
                }
            } catch {
                // The gateway may be down for a moment: some tests kill it.
                last = "\(error)"
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw Failure(description: "the task \(task.id) has not ended: \(last)\n\(await said())")
    }

    func request(
        _ method: HTTPMethod, _ path: String, _ headers: [String: String] = [:], _ body: [UInt8]? = nil
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(await address.port)\(path)")
        request.method = method
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(90))
        let content = try await response.body.collect(upTo: 64 << 20)
        return Answer(
            status: Int(response.status.code), headers: response.headers,
            body: String(decoding: content.readableBytesView, as: UTF8.self))
    }

    /// The last lines of every service, for the person whose test failed.
    func said() async -> String {
        var text = ""
        for service in services {
            let lines = await service.log.entries.suffix(12)
            text += "--- \(service.name), ends: \(await service.ends.entries)\n" + lines.map { $0 + "\n" }.joined()
        }
        return text
    }

    /// What tasks and their roots left that should be gone when all have ended.
    func remains() -> [String] {
        var found: [String] = []
        for task in FolderContents.names(in: spool) {
            for name in FolderContents.names(in: spool.appending(task)) where ["crash", "upload"].contains(name) {
                found.append("spool/\(task)/\(name)")
            }
        }
        return found + FolderContents.names(in: store.appending("roots")).map { "store/roots/\($0)" }
    }

    /// Waits until a condition holds, asking every few milliseconds.
    func until(_ what: String, within limit: Duration = .seconds(180), _ holds: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + limit
        while try await !holds() {
            guard ContinuousClock.now < deadline else {
                throw Failure(description: "waited \(limit) in vain until \(what)\n\(await said())")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// The sandboxes that run for this stack.
    func debuggers() -> [String] {
        Guardian(directory: directory).survivors().filter { $0.contains("bwrap") || $0.contains("gdb") }
    }
}
