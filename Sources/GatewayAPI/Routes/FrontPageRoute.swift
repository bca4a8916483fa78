import CrashModel
import HTTPTypes
import Hummingbird

/// `GET /`: what this server is, `GET /submit`: sending a crash, and `GET /open`: the way to a task, for a person with a
/// browser.
struct FrontPageRoute: Sendable {
    let dependencies: GatewayDependencies
    let pages: Pages

    func add(to router: GatewayRouter) {
        router.onAnyMethod("/") { request, _ in
            let now = dependencies.now() / 1_000_000
            let mirrors = await dependencies.mirrors().sorted { $0.releaseID.description < $1.releaseID.description }
            return pages.response(
                "front",
                FrontPage(
                    releases: mirrors.map { FrontPage.Release($0, now: now) }, active: dependencies.active.count,
                    limits: dependencies.limits, requireHTTPS: dependencies.access.requireHTTPS,
                    hasRepositories: dependencies.repositories != nil,
                    host: request.head.authority, address: address(request)))
        }
        // A form cannot put what was typed into a path.
        router.onGet("open") { request, _ in
            guard let text = request.uri.queryParameters["task"], isDigits(text), let id = try? TaskID(String(text))
            else {
                throw Refusal.noSuchTask
            }
            return Response(status: .seeOther, headers: [.location: "/\(id)"])
        }
        router.onGet("submit") { request, _ in
            pages.response("submit", SubmitPage(limits: dependencies.limits, address: address(request)))
        }
    }

    private func address(_ request: Request) -> String {
        let isSecure = dependencies.access.requireHTTPS || dependencies.access.isSecure(request)
        return (isSecure ? "https://" : "http://") + (request.head.authority ?? "SERVER")
    }
}

/// What the template shows; the template escapes every value.
private struct FrontPage {
    let title = "Retrace server"
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
    let kept: [TaskLifetime.Row]
    let canDelete: Bool
    let hasRepositories: Bool

    struct Release {
        let name: String
        let packages: Int
        let age: String
        let served: Bool
        let failure: String?

        init(_ mirror: MirroredRelease, now: Int64) {
            name = mirror.releaseID.description
            packages = mirror.packageCount
            age = mirror.age(now: now)
            served = mirror.isServed
            failure = mirror.failure.map { shown($0) }
        }
    }

    init(
        releases: [Release], active: Int, limits: GatewayLimits, requireHTTPS: Bool, hasRepositories: Bool,
        host: String?,
        address: String
    ) {
        self.releases = releases
        hasReleases = !releases.isEmpty
        self.active = active
        maximum = limits.maxParallelTasks
        percent = maximum > 0 ? min(100, active * 100 / maximum) : 100
        httpsOnly = requireHTTPS
        self.host = host ?? "this host"
        self.address = address
        packed = limits.maxPackedMebibytes
        unpacked = limits.maxUnpackedMebibytes
        kept = limits.lifetime.rows
        canDelete = limits.allowDelete
        self.hasRepositories = hasRepositories
    }
}

private struct SubmitPage {
    let title = "Send a crash"
    let scripts = ["dump.js", "submit.js"]
    let address: String
    let packed: Int
    let unpacked: Int
    /// Of a kernel's dump, in MiB, where its limit is another.
    let kernel: Int?
    /// In bytes.
    let largest: Int
    let largestKernel: Int
    let formats: String

    init(limits: GatewayLimits, address: String) {
        self.address = address
        packed = limits.maxPackedMebibytes
        unpacked = limits.maxUnpackedMebibytes
        kernel = limits.maxKernelDumpMebibytes
        largest = limits.packedMebibytes(ofKernel: false) << 20
        largestKernel = limits.packedMebibytes(ofKernel: true) << 20
        formats = limits.formats.joined(separator: " ")
    }
}
