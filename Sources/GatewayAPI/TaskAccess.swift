import CrashModel
import HTTPTypes
import Hummingbird
import TaskStorage

/// The door of every address below `/<id>`.
struct TaskAccess: Sendable {
    let dependencies: GatewayDependencies

    /// The task of the address, if the password is right.
    ///
    /// - Throws: ``Refusal`` in upstream's order: 403 without HTTPS, 404 for no such task, 403 for the password.
    func task(_ request: Request, _ context: GatewayContext) async throws -> RetraceTask {
        guard let text = context.parameters.get("id"), isDigits(text) else { throw Refusal.notFound }
        try dependencies.access.check(request)
        guard let id = try? TaskID(text) else { throw Refusal.noSuchTask }
        switch try await authenticate(id, password(in: request), request, context) {
        case .granted(let task): return task
        case .unknownTask: throw Refusal.noSuchTask
        case .wrongPassword:
            throw Refusal(.forbidden, .wrongPassword, advice: .sendThePassword)
        }
    }

    /// The one place where passwords are looked at, whether they came with a program's request or from a browser.
    ///
    /// - Throws: ``Refusal`` with 429 when too many wrong ones, or ids of no task, came from the client's address.
    func authenticate(
        _ id: TaskID, _ password: String?, _ request: Request, _ context: GatewayContext
    ) async throws -> Authentication {
        let answer = try await dependencies.store.authenticate(id, password: password)
        if case .granted = answer { return answer }
        let refusal = dependencies.clients.wrongPassword(
            from: context.client, isCertain: context.certainClient != nil)
        if let refusal { throw refusal }
        return answer
    }

    /// The id in the address.
    ///
    /// - Throws: ``Refusal`` with 404 when it is none.
    func id(_ context: GatewayContext) throws(Refusal) -> TaskID {
        guard let text = context.parameters.get("id"), isDigits(text), let id = try? TaskID(text) else {
            throw Refusal.notFound
        }
        return id
    }

    func hasPassword(_ request: Request) -> Bool { password(in: request) != nil }

    /// The password that came with a request: the header of ABRT's API, or the cookie that a browser got from us.
    func password(in request: Request) -> String? {
        if let header = request.headers[.taskPassword] { return header }
        guard isOwnSite(request) else { return nil }
        return request.cookies[TaskCookie.name]?.value
    }

    /// Whether a browser says that our own page, or its person, made the request; old browsers do not say, and then
    /// `SameSite=Strict` alone keeps the cookie from other sites' requests.
    func isOwnSite(_ request: Request) -> Bool {
        ["same-origin", "none", nil].contains(request.headers[.secFetchSite])
    }
}

/// The cookie that stands for the header X-Task-Password in a browser, which cannot send one when it follows a link.
enum TaskCookie {
    static let name = "retrace-task"
}

extension Refusal {
    /// Nothing is known of the task.
    static let noSuchTask = Refusal(.notFound, .noSuchTask, advice: .checkTheID)
}
