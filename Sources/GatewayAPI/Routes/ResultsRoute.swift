import CrashModel
import FoundationEssentials
import HTTPTypes
import Hummingbird
import TaskStorage

/// `/<id>/results`: the results that have no address of their own, such as the commands of crash(8), and each of them.
struct ResultsRoute: Sendable {
    let dependencies: GatewayDependencies
    private let access: TaskAccess

    /// As much of a kernel's log as is shown, in bytes.
    private static let maximumLog = 16 << 20

    init(dependencies: GatewayDependencies) {
        self.dependencies = dependencies
        access = TaskAccess(dependencies: dependencies)
    }

    func add(to router: GatewayRouter) {
        router.onGet(":id/results") { request, context in
            try await list(access.task(request, context), request)
        }
        router.onGet(":id/results/:name") { request, context in
            let task = try await access.task(request, context)
            return try await result(context.parameters.get("name") ?? "", of: task, request)
        }
    }

    private func list(_ task: RetraceTask, _ request: Request) async throws -> Response {
        let directory = TaskDirectory(task.id, in: dependencies.spool)
        let results = try await dependencies.onDisk { try directory.namedResults() }
        guard !results.isEmpty else { throw Refusal.missing("results", of: task) }
        let isJSON = StatusForm(accept: request.headers[.accept]) == .json
        let bytes =
            isJSON
            ? try ResultListDocument(results, of: task.id).encoded()
            : Array(results.map { "\($0.name)\t\($0.byteCount)\n" }.joined().utf8)
        var response = try ResultResponse(
            dependencies: dependencies, content: ResultContent(bytes),
            mediaType: isJSON ? "application/json" : "text/plain"
        ).answer(to: request)
        response.headers[.vary] = "Accept, Accept-Encoding"
        return response
    }

    private func result(_ name: String, of task: RetraceTask, _ request: Request) async throws -> Response {
        // Words that can be no name are not said again.
        guard TaskDirectory.isResultName(name) else { throw Refusal.notFound }
        let directory = TaskDirectory(task.id, in: dependencies.spool)
        let content = try await dependencies.onDisk { () -> ResultContent? in
            guard let file = try directory.namedResult(name) else { return nil }
            // Until the retracer has seen it, the log is as it came out of the dump.
            guard name == "log" else { return ResultContent(file) }
            let bytes = try file.read(at: 0, count: min(file.byteCount, Self.maximumLog))
            return ResultContent(printable(String(decoding: bytes, as: UTF8.self)).utf8, version: file.version)
        }
        guard let content else { throw Refusal.missing("results/\(name)", of: task) }
        return try ResultResponse(dependencies: dependencies, content: content, mediaType: "text/plain")
            .answer(to: request)
    }
}

/// The list of a task's named results as JSON, version 1; `openapi.json` describes it. Keys are only ever added.
private struct ResultListDocument: Encodable {
    let version = 1
    let task: String
    let results: [Item]

    struct Item: Encodable {
        let name: String
        let bytes: Int
        let path: String
    }

    init(_ results: [NamedResult], of task: TaskID) {
        self.task = task.description
        self.results = results.map {
            Item(name: $0.name, bytes: $0.byteCount, path: "/\(task)/results/\($0.name)")
        }
    }

    func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        return Array(try encoder.encode(self))
    }
}
