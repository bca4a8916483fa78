import CrashModel
import HTTPTypes
import Hummingbird
import Mustache

/// `GET /`: what this server is, for a person with a browser.
struct FrontPageRoute: Sendable {
    let dependencies: GatewayDependencies
    private let template: MustacheTemplate

    /// - Throws: The parser's error when the embedded template is broken.
    init(_ dependencies: GatewayDependencies) throws {
        self.dependencies = dependencies
        template = try MustacheTemplate(string: String(decoding: PackageResources.front_mustache, as: UTF8.self))
    }

    func add(to router: GatewayRouter) {
        router.onAnyMethod("/") { request, _ in
            let releases = await dependencies.supportedReleases()
            let page = FrontPage(
                releases: releases.map(\.description).sorted(), active: dependencies.active.count,
                limits: dependencies.limits, requireHTTPS: dependencies.access.requireHTTPS,
                host: request.head.authority)
            var headers = HTTPFields()
            headers[.contentType] = "text/html"
            headers[.contentSecurityPolicy] = "default-src 'none'; style-src 'unsafe-inline'"
            let body = ByteBuffer(string: template.render(page))
            return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: body))
        }
    }
}

/// What the template shows; the template escapes every value.
private struct FrontPage {
    let releases: [String]
    let hasReleases: Bool
    let active: Int
    let maximum: Int
    let percent: Int
    let httpsOnly: Bool
    let host: String
    let address: String
    let packed: Int
    let unpacked: Int
    let keptHours: Int?

    init(releases: [String], active: Int, limits: GatewayLimits, requireHTTPS: Bool, host: String?) {
        self.releases = releases
        hasReleases = !releases.isEmpty
        self.active = active
        maximum = limits.maxParallelTasks
        percent = maximum > 0 ? min(100, active * 100 / maximum) : 100
        httpsOnly = requireHTTPS
        self.host = host ?? "this host"
        address = (requireHTTPS ? "https://" : "http://") + (host ?? "SERVER")
        packed = limits.maxPackedMebibytes
        unpacked = limits.maxUnpackedMebibytes
        keptHours = limits.keptHours
    }
}
