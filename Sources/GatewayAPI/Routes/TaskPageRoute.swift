import CrashModel
import HTTPTypes
import Hummingbird
import NIOCore
import SystemPackage
import TaskStorage

/// The page of a task: `/<id>` for a browser, and the two forms that open and close it.
///
/// A browser cannot send X-Task-Password when it follows a link, so a form posts the password once and gets a cookie for
/// the task's addresses alone: HttpOnly, SameSite=Strict, Secure over HTTPS, gone when the browser is closed. Whether a
/// task exists is not told without its password.
struct TaskPageRoute: Sendable {
    let dependencies: GatewayDependencies
    let pages: Pages
    let access: TaskAccess

    private static let maximumForm = 4096
    private static let maximumJSON = 16 << 20

    init(dependencies: GatewayDependencies, pages: Pages) {
        self.dependencies = dependencies
        self.pages = pages
        access = TaskAccess(dependencies: dependencies)
    }

    func add(to router: GatewayRouter) {
        router.on(":id/open", only: [.post]) { request, context in try await open(request, context) }
        router.on(":id/close", only: [.post]) { request, context in
            let id = try access.id(context)
            return Self.redirect(to: id, cookie: cookie(id, "", request, maxAge: 0))
        }
    }

    /// The page, or the form that asks for the password.
    func page(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try dependencies.access.check(request)
        let id = try access.id(context)
        guard access.hasPassword(request) else { return locked(id, wrong: false) }
        guard case .granted = try await access.authenticate(id, access.password(in: request), request, context),
            let report = try await dependencies.report(of: id)
        else { return locked(id, wrong: true) }
        let page = try await page(of: report)
        var response = pages.response("task", page)
        response.headers[.taskStatus] = report.snapshot.task.state.rawValue
        response.headers[.vary] = "Accept, Cookie"
        return response
    }

    private func page(of report: TaskReport) async throws -> TaskPage {
        let task = report.snapshot.task
        let canDelete = dependencies.limits.allowDelete
        guard task.state != .pending else { return TaskPage(report, canDelete: canDelete) }
        let directory = TaskDirectory(task.id, in: dependencies.spool)
        return try await dependencies.onDisk {
            var page = TaskPage(report, canDelete: canDelete)
            page.show(try directory.namedResults())
            guard task.state == .success else { return page }
            if let file = try ResultFile(at: directory.results.appending("exploitable")) {
                page.exploitable = ExploitabilityView(
                    String(decoding: try file.read(at: 0, count: min(file.byteCount, 64 << 10)), as: UTF8.self))
            }
            guard let file = try ResultFile(at: directory.backtraceJSON) else {
                page.noData = "there is no backtrace as data."
                return page
            }
            guard file.byteCount <= Self.maximumJSON else {
                page.noData = "there are too many of them."
                return page
            }
            let bytes = try file.read(at: 0, count: file.byteCount)
            guard let document = BacktraceDocument(bytes) else {
                page.noData = "they are not in the form that this page knows."
                return page
            }
            page.show(document)
            return page
        }
    }

    private func open(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try dependencies.access.check(request)
        let id = try access.id(context)
        guard access.isOwnSite(request) else {
            throw Refusal(.forbidden, .formOfAnotherSite, advice: .openTheTask, with: ["task": "/\(id)"])
        }
        let body: ByteBuffer
        do {
            body = try await request.body.collect(upTo: Self.maximumForm)
        } catch {
            throw Refusal(.contentTooLarge, .formTooLarge)
        }
        guard let password = Self.password(in: String(buffer: body)),
            case .granted = try await access.authenticate(id, password, request, context)
        else { return locked(id, wrong: true) }
        return Self.redirect(to: id, cookie: cookie(id, password, request))
    }

    private func locked(_ id: TaskID, wrong: Bool) -> Response {
        pages.response("locked", LockedPage(task: id.description, wrong: wrong), status: .forbidden)
    }

    /// Our passwords are letters and digits, which no form encodes; anything else is wrong and never gets into a header.
    static func password(in form: String) -> String? {
        let field = form.split(separator: "&").first { $0.hasPrefix("password=") }?.dropFirst(9)
        guard let field, (1...128).contains(field.utf8.count), field.utf8.allSatisfy(isLetterOrDigit) else {
            return nil
        }
        return String(field)
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }

    private func cookie(_ id: TaskID, _ password: String, _ request: Request, maxAge: Int? = nil) -> String {
        "\(TaskCookie.name)=\(password); Path=/\(id); HttpOnly; SameSite=Strict"
            + (maxAge.map { "; Max-Age=\($0)" } ?? "") + (dependencies.access.isSecure(request) ? "; Secure" : "")
    }

    private static func redirect(to id: TaskID, cookie: String) -> Response {
        var headers = HTTPFields()
        headers[.location] = "/\(id)"
        headers[.setCookie] = cookie
        headers[.referrerPolicy] = "no-referrer"
        return Response(status: .seeOther, headers: headers)
    }
}

private struct LockedPage {
    let title: String
    let task: String
    let wrong: Bool

    init(task: String, wrong: Bool) {
        title = "Task \(task)"
        self.task = task
        self.wrong = wrong
    }
}
