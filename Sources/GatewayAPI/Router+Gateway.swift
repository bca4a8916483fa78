import HTTPTypes
package import Hummingbird

/// The routes of the gateway: one file below Routes/ for each family.
///
/// - Parameter dependencies: What the routes read and call.
/// - Throws: The error of a broken template or catalogue of translations, which tests rule out.
package func buildRouter(_ dependencies: GatewayDependencies) throws -> Router<GatewayContext> {
    let router = Router(context: GatewayContext.self)
    let languages = try Languages()
    router.add(middleware: ResponseRules(logger: dependencies.logger, languages: languages))
    router.add(middleware: TransportRules(access: dependencies.access))
    router.add(middleware: PathShapes())
    let pages = try Pages()
    let taskPage = TaskPageRoute(dependencies: dependencies, pages: pages)
    FrontPageRoute(dependencies: dependencies, pages: pages).add(to: router)
    StatsRoute(dependencies: dependencies, pages: pages).add(to: router)
    AssetsRoute(dependencies: dependencies).add(to: router)
    taskPage.add(to: router)
    SettingsRoute(dependencies: dependencies).add(to: router)
    ReleasesRoute(dependencies: dependencies).add(to: router)
    OpenAPIRoute().add(to: router)
    MetricsRoute(dependencies: dependencies).add(to: router)
    CheckPackageRoute(dependencies: dependencies).add(to: router)
    RepositoriesRoute(dependencies: dependencies).add(to: router)
    CreateRoute(dependencies: dependencies).add(to: router)
    TaskRoutes(dependencies: dependencies, page: taskPage, languages: languages).add(to: router)
    ResultsRoute(dependencies: dependencies).add(to: router)
    TaskActionRoutes(dependencies: dependencies, pages: pages, languages: languages).add(to: router)
    EventsRoute(dependencies: dependencies, languages: languages).add(to: router)
    return router
}

typealias GatewayRouter = Router<GatewayContext>

extension Router where Context == GatewayContext {
    /// Answers GET, and HEAD with the same head; every other method is told that these two are taken.
    func onGet(
        _ path: RouterPath, use handler: @escaping @Sendable (Request, Context) async throws -> Response
    ) {
        on(path, only: [.get, .head], use: handler)
    }

    /// Answers these methods, and every other one with 405 and `Allow` (RFC 9110, 15.5.6).
    func on(
        _ path: RouterPath, only methods: [HTTPRequest.Method],
        use handler: @escaping @Sendable (Request, Context) async throws -> Response
    ) {
        let names = methods.map(\.rawValue).joined(separator: ", ")
        var refusal = Refusal(.methodNotAllowed, .onlyTheseMethods, advice: .seeFrontPage, with: ["methods": names])
        refusal.headers[.allow] = names
        for method in Self.methods {
            if methods.contains(method) {
                on(path, method: method, use: handler)
            } else {
                on(path, method: method) { [refusal] _, _ -> Response in throw refusal }
            }
        }
    }

    /// Answers every method alike, as all of upstream's routes but `/create` do.
    func onAnyMethod(
        _ path: RouterPath, use handler: @escaping @Sendable (Request, Context) async throws -> Response
    ) {
        for method in Self.methods { on(path, method: method, use: handler) }
    }

    /// The methods of RFC 9110 and RFC 5789.
    static var methods: [HTTPRequest.Method] {
        [.get, .head, .post, .put, .delete, .patch, .options, .trace, .connect]
    }
}
