import CrashModel
import HTTPTypes
import Hummingbird
import NIOCore
import SystemPackage
import TaskStorage

/// `/<id>` and what lies below it: status, backtrace and log, each behind the task's password.
struct TaskRoutes: Sendable {
    let dependencies: GatewayDependencies

    /// Upstream's bounds of a text answer, in bytes.
    private static let maximumBacktrace = 16 << 20
    private static let maximumLog = 4 << 20

    func add(to router: GatewayRouter) {
        router.onAnyMethod(":id") { request, context in try await status(task(request, context)) }
        router.onAnyMethod(":id/backtrace") { request, context in
            let task = try await task(request, context)
            return try await text(of: directory(task).backtrace, task, "backtrace", limit: Self.maximumBacktrace)
        }
        router.onAnyMethod(":id/backtrace.json") { request, context in
            let task = try await task(request, context)
            return try await whole(directory(task).backtraceJSON, task, "backtrace", type: "application/json")
        }
        router.onAnyMethod(":id/exploitable") { request, context in
            let task = try await task(request, context)
            let file = directory(task).results.appending("exploitable")
            return try await text(of: file, task, "rating of exploitability", limit: Self.maximumBacktrace)
        }
        router.onAnyMethod(":id/log") { request, context in try await log(task(request, context)) }
    }

    /// The task of the address, if the password is right.
    ///
    /// - Throws: ``Refusal`` in upstream's order: 403 without HTTPS, 404 for no such task, 403 for the password.
    private func task(_ request: Request, _ context: BasicRequestContext) async throws -> RetraceTask {
        guard let text = context.parameters.get("id"), isDigits(text) else { throw Refusal.notFound }
        try dependencies.access.check(request)
        guard let id = try? TaskID(text) else { throw Refusal.noSuchTask }
        switch try await dependencies.store.authenticate(id, password: request.headers[.taskPassword]) {
        case .granted(let task): return task
        case .unknownTask: throw Refusal.noSuchTask
        case .wrongPassword:
            throw Refusal(
                .forbidden, "The password of this task is missing or wrong.",
                advice: "Send the one that came with the task's id in the header X-Task-Password.")
        }
    }

    private func status(_ task: RetraceTask) async throws -> Response {
        let ahead = task.state == .pending ? try await dependencies.store.pendingTasks(before: task) : 0
        let ended = task.state == .success
        let timings = ended ? try await dependencies.store.timings(of: task.id) : []
        let facts = ended ? try await dependencies.store.facts(of: task.id) : [:]
        var headers = HTTPFields()
        headers[.taskStatus] = task.state.rawValue
        return plainText(statusText(of: task, ahead: ahead, timings: timings, facts: facts), .ok, headers)
    }

    private func log(_ task: RetraceTask) async throws -> Response {
        let events = try await dependencies.store.events(of: task.id)
        let file = directory(task).log
        let printed = try await dependencies.onDisk {
            try ResultFile(at: file).map { try $0.read(at: 0, count: min($0.byteCount, Self.maximumLog)) }
        }
        guard !events.isEmpty || printed != nil else { throw missing("log", task) }
        let text = logText(of: task, events: events) + String(decoding: printed ?? [], as: UTF8.self)
        return plainText(printable(String(decoding: text.utf8.prefix(Self.maximumLog), as: UTF8.self)))
    }

    private func directory(_ task: RetraceTask) -> TaskDirectory { TaskDirectory(task.id, in: dependencies.spool) }

    /// The start of a text file, with undecodable bytes replaced.
    private func text(
        of file: FilePath, _ task: RetraceTask, _ noun: String, limit: Int
    ) async throws -> Response {
        let bytes = try await dependencies.onDisk {
            try ResultFile(at: file).map { try $0.read(at: 0, count: min($0.byteCount, limit)) }
        }
        guard let bytes else { throw missing(noun, task) }
        return plainText(String(decoding: bytes, as: UTF8.self))
    }

    /// A file as it is, read while it is sent.
    private func whole(
        _ path: FilePath, _ task: RetraceTask, _ noun: String, type: String
    ) async throws -> Response {
        guard let file = try await dependencies.onDisk({ try ResultFile(at: path) }) else {
            throw missing(noun, task)
        }
        let body = ResponseBody(contentLength: file.byteCount) { writer in
            var offset = 0
            while offset < file.byteCount {
                let from = offset
                let chunk = try await dependencies.onDisk {
                    try file.read(at: from, count: min(256 << 10, file.byteCount - from))
                }
                guard !chunk.isEmpty else { throw Errno.ioError }
                try await writer.write(ByteBuffer(bytes: chunk))
                offset += chunk.count
            }
            try await writer.finish(nil)
        }
        var headers = HTTPFields()
        headers[.contentType] = type
        return Response(status: .ok, headers: headers, body: body)
    }

    private func missing(_ noun: String, _ task: RetraceTask) -> Refusal {
        switch task.state {
        case .pending:
            Refusal(.notFound, "Task \(task.id) has no \(noun) yet.", advice: "Ask again when /\(task.id) says so.")
        case .success: Refusal(.notFound, "Task \(task.id) has no \(noun).")
        case .failure:
            Refusal(.notFound, "Task \(task.id) has no \(noun) because it failed.", advice: "/\(task.id)/log says why.")
        }
    }
}

extension Refusal {
    /// Nothing is known of the task.
    static let noSuchTask = Refusal(
        .notFound, "There is no such task here.", advice: "It may have been removed; check the id that you were given.")
}
