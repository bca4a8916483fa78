import Hummingbird
import Logging
import TaskStorage

/// `GET /settings`: what ABRT's client asks before it packs anything.
struct SettingsRoute: Sendable {
    let dependencies: GatewayDependencies

    func add(to router: GatewayRouter) {
        router.onAnyMethod("settings") { _, _ in
            let (mirrors, use) = (await dependencies.mirrors(), try await dependencies.store.useOfReleases())
            let releases = ClientReleaseList(mirrors, use: use, now: dependencies.now() / 1_000_000)
            if releases.omitted > 0 {
                dependencies.logger.debug(
                    "releases have more names than ABRT's client can read",
                    metadata: ["listed": "\(releases.names.count)", "left-out": "\(releases.omitted)"])
            }
            return plainText(
                Self.text(running: dependencies.runningTasks, limits: dependencies.limits, releases: releases.names))
        }
    }

    /// Six lines of `key value`, in upstream's order, with LF between them and none at the end.
    static func text(running: Int, limits: GatewayLimits, releases: [String]) -> String {
        [
            "running_tasks \(running)",
            "max_running_tasks \(limits.maxParallelTasks)",
            "max_packed_size \(limits.maxPackedMebibytes)",
            "max_unpacked_size \(limits.maxUnpackedMebibytes)",
            "supported_formats \(limits.formats.joined(separator: " "))",
            "supported_releases \(releases.joined(separator: " "))",
        ].joined(separator: "\n")
    }
}
