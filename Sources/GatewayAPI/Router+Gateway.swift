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
    TaskActionRoutes(dependencies: dependencies, pages: pages, languages: languages).add(to: router)
    EventsRoute(dependencies: dependencies).add(to: router)
    return router
}

typealias GatewayRouter = Router<GatewayContext>

extension Router where Context == GatewayContext {
    /// Answers every method alike, as all of upstream's routes but `/create` do.
    func onAnyMethod(
        _ path: RouterPath, use handler: @escaping @Sendable (Request, Context) async throws -> Response
    ) {
        for method in Self.methods { on(path, method: method, use: handler) }
    }

    private static var methods: [HTTPRequest.Method] {
        [.get, .head, .post, .put, .delete, .patch, .options, .trace, .connect]
    }
}
