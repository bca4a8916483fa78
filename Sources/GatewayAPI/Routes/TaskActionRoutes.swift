import CrashModel
import HTTPTypes
import Hummingbird
import Logging
import TaskStorage

/// `/<id>/delete` and `/<id>/start`: what changes a task. Any method, as in upstream; the password keeps other sites out.
struct TaskActionRoutes: Sendable {
    let dependencies: GatewayDependencies
    let pages: Pages
    let access: TaskAccess
    let languages: Languages

    init(dependencies: GatewayDependencies, pages: Pages, languages: Languages) {
        self.languages = languages
        self.dependencies = dependencies
        self.pages = pages
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
        // What a browser sends by itself is enough to read, and only a form of ours is enough to change something.
        guard request.headers[.taskPassword] != nil || request.method == .post || !access.hasPassword(request) else {
            throw Refusal(.forbidden, .wrongPassword, advice: .sendThePassword)
        }
        let task = try await access.task(request, context)
        do {
            try await dependencies.remove(task.id)
        } catch {
            dependencies.logger.error("a task cannot be deleted: \(error)", metadata: ["task": "\(task.id)"])
            throw Refusal(.internalServerError, .taskNotRemoved, advice: .tryAgainOrTell)
        }
        dependencies.logger.info("task deleted by its owner", metadata: ["task": "\(task.id)"])
        guard StatusForm(accept: request.headers[.accept]) == .page else {
            let message = Message(.taskDeleted, ["task": task.id])
            return plainText(message.text(in: languages.language(for: request.headers)) + "\n")
        }
        return pages.response("deleted", DeletedPage(task: task.id.description))
    }
}

private struct DeletedPage {
    let title: String
    let task: String

    init(task: String) {
        title = "Task \(task) is deleted"
        self.task = task
    }
}
