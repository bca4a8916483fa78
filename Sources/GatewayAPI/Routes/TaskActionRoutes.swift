import CrashModel
import HTTPTypes
import Hummingbird
import Logging
import TaskStorage

/// `/<id>/delete` and `/<id>/start`: what changes a task. Any method, as in upstream; the password keeps other sites out.
struct TaskActionRoutes: Sendable {
    let dependencies: GatewayDependencies
    let access: TaskAccess
    let languages: Languages

    init(dependencies: GatewayDependencies, languages: Languages) {
        self.languages = languages
        self.dependencies = dependencies
        access = TaskAccess(dependencies: dependencies)
    }

    func add(to router: GatewayRouter) {
        router.onAnyMethod(":id/delete") { request, context in try await delete(request, context) }
        // Upstream's gateways start each other's tasks by it, without a password. Here a task starts by itself.
        router.onAnyMethod(":id/start") { request, context in
            _ = try await access.task(request, context)
            return plainText("", .created)
        }
    }

    /// Removes the task at once, also one that is in work: the stage that has it finds nothing left to do.
    private func delete(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try dependencies.access.check(request)
        guard let id = context.parameters.get("id"), isDigits(id) else { throw Refusal.notFound }
        guard dependencies.limits.allowDelete else {
            throw Refusal(.forbidden, .deletionNotAllowed, advice: .seeWhenTasksGo)
        }
        let task = try await access.task(request, context)
        do {
            try await dependencies.remove(task.id)
        } catch {
            dependencies.logger.error("a task cannot be deleted: \(error)", metadata: ["task": "\(task.id)"])
            throw Refusal(.internalServerError, .taskNotRemoved, advice: .tryAgainOrTell)
        }
        dependencies.logger.info("task deleted by its owner", metadata: ["task": "\(task.id)"])
        let message = Message(.taskDeleted, ["task": task.id])
        return plainText(message.text(in: languages.language(for: request.headers)) + "\n")
    }
}
