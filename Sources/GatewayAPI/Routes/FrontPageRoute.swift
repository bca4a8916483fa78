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
            let now = dependencies.now() / 1_000_000
            let mirrors = await dependencies.mirrors().sorted { $0.releaseID.description < $1.releaseID.description }
            let page = FrontPage(
                releases: mirrors.map { FrontPage.Release($0, now: now) }, active: dependencies.active.count,
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
    let releases: [Release]
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

    struct Release {
        let name: String
        let state: String
        let failure: String?

        init(_ mirror: MirroredRelease, now: Int64) {
            name = mirror.releaseID.description
            let age = mirror.lastSuccessAt == nil ? "" : ", synchronised \(mirror.age(now: now))"
            state = mirror.isServed ? "\(mirror.packageCount) packages\(age)" : "cannot be retraced yet"
            failure = mirror.failure.map(printable)
        }
    }

    init(releases: [Release], active: Int, limits: GatewayLimits, requireHTTPS: Bool, host: String?) {
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
