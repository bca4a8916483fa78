import CrashModel
import HTTPTypes
import Hummingbird
import NIOCore
import SystemPackage
import TaskStorage

/// `/<id>` and the results below it, each behind the task's password.
struct TaskRoutes: Sendable {
    let dependencies: GatewayDependencies
    private let access: TaskAccess
    private let page: TaskPageRoute
    private let languages: Languages

    init(dependencies: GatewayDependencies, page: TaskPageRoute, languages: Languages) {
        self.dependencies = dependencies
        self.languages = languages
        self.page = page
        access = TaskAccess(dependencies: dependencies)
    }

    /// Upstream's bounds of a text answer, in bytes.
    private static let maximumBacktrace = 16 << 20
    private static let maximumLog = 4 << 20

    func add(to router: GatewayRouter) {
        router.onAnyMethod(":id") { request, context in
            let form = StatusForm(accept: request.headers[.accept])
            guard form != .page else { return try await page.page(request, context) }
            return try await status(access.task(request, context), form, languages.language(for: request.headers))
        }
        router.onAnyMethod(":id/backtrace") { request, context in
            let task = try await access.task(request, context)
            let content = try await text(of: directory(task).backtrace, task, "backtrace")
            return try answer(request, content, "text/plain")
        }
        router.onAnyMethod(":id/backtrace.json") { request, context in
            let task = try await access.task(request, context)
            let path = directory(task).backtraceJSON
            guard let file = try await dependencies.onDisk({ try ResultFile(at: path) }) else {
                throw Refusal.missing("backtrace.json", of: task)
            }
            return try answer(request, ResultContent(file), "application/json")
        }
        router.onAnyMethod(":id/exploitable") { request, context in
            let task = try await access.task(request, context)
            let file = directory(task).results.appending("exploitable")
            return try answer(request, try await text(of: file, task, "exploitable"), "text/plain")
        }
        router.onAnyMethod(":id/log") { request, context in
            try answer(request, await log(access.task(request, context)), "text/plain")
        }
    }

    private func status(_ task: RetraceTask, _ form: StatusForm, _ language: Language) async throws -> Response {
        guard let report = try await dependencies.report(of: task.id) else { throw Refusal.noSuchTask }
        var headers = HTTPFields()
        headers[.taskStatus] = report.snapshot.task.state.rawValue
        headers[.vary] = "Accept"
        guard form == .json else {
            let text = report.text(in: language)
            dependencies.ready.keep(
                text, of: report.snapshot, in: language, isHTTPSOnly: dependencies.access.requireHTTPS,
                now: dependencies.now())
            return plainText(text, .ok, headers)
        }
        headers[.contentType] = "application/json"
        let body = ByteBuffer(bytes: try report.document(in: language).encoded(pretty: true))
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: body))
    }

    /// What the stages did, and the log of a kernel that crashed: that is there long before its backtrace.
    private func log(_ task: RetraceTask) async throws -> ResultContent {
        let events = try await dependencies.store.events(of: task.id)
        let directory = self.directory(task)
        // Half for the stages, half for the end of the kernel's log, which says why it stopped.
        let most = Self.maximumLog / 2
        let (printed, kernel) = try await dependencies.onDisk {
            let printed = try ResultFile(at: directory.log).map { try $0.read(at: 0, count: min($0.byteCount, most)) }
            return (printed ?? [], try KernelLog(at: directory.kernelLog, limit: most))
        }
        guard !events.isEmpty || printed != [] else { throw Refusal.missing("log", of: task) }
        var text = logText(of: task, events: events) + String(decoding: printed, as: UTF8.self)
        if text.utf8.count > most { text = String(decoding: text.utf8.prefix(most), as: UTF8.self) }
        if let kernel {
            let notice = kernel.notice.map { $0 + "\n" } ?? ""
            text += "\n== KERNEL LOG ==\n" + notice + String(decoding: kernel.bytes, as: UTF8.self)
        }
        return ResultContent(printable(text).utf8)
    }

    private func directory(_ task: RetraceTask) -> TaskDirectory { TaskDirectory(task.id, in: dependencies.spool) }

    private func answer(_ request: Request, _ content: ResultContent, _ type: String) throws(Refusal) -> Response {
        try ResultResponse(dependencies: dependencies, content: content, mediaType: type).answer(to: request)
    }

    /// The start of a text file, with undecodable bytes replaced.
    private func text(of path: FilePath, _ task: RetraceTask, _ name: String) async throws -> ResultContent {
        let content = try await dependencies.onDisk { () -> ResultContent? in
            guard let file = try ResultFile(at: path) else { return nil }
            let bytes = try file.read(at: 0, count: min(file.byteCount, Self.maximumBacktrace))
            return ResultContent(String(decoding: bytes, as: UTF8.self).utf8, version: file.version)
        }
        guard let content else { throw Refusal.missing(name, of: task) }
        return content
    }
}

extension Refusal {
    /// A result that a task does not have, or not yet.
    ///
    /// - Parameter name: What stands after the task in the address.
    static func missing(_ name: String, of task: RetraceTask) -> Refusal {
        let values = ["path": "/\(task.id)/\(name)", "task": "/\(task.id)", "log": "/\(task.id)/log"]
        return switch task.state {
        case .pending: Refusal(.notFound, .notThereYet, advice: .askAgain, with: values)
        case .success: Refusal(.notFound, .notMade, with: values)
        case .failure: Refusal(.notFound, .notMadeByFailure, advice: .logSaysWhy, with: values)
        }
    }
}
