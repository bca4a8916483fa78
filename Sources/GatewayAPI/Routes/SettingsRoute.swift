import CrashModel
import Hummingbird
import Logging

/// `GET /settings`: what ABRT's client asks before it packs anything.
struct SettingsRoute: Sendable {
    let dependencies: GatewayDependencies

    func add(to router: GatewayRouter) {
        router.onAnyMethod("settings") { _, _ in
            let releases = await dependencies.supportedReleases()
            if releases.count > Self.maximumReleases {
                dependencies.logger.warning(
                    "more releases than ABRT's client can read; the last ones are not listed",
                    metadata: ["releases": "\(releases.count)", "listed": "\(Self.maximumReleases)"])
            }
            return plainText(
                Self.text(running: dependencies.active.count, limits: dependencies.limits, releases: releases))
        }
    }

    /// ABRT's client has 32 slots; a 33rd release would spoil the last one.
    private static let maximumReleases = 32

    /// Six lines of `key value`, in upstream's order, with LF between them and none at the end.
    static func text(running: Int, limits: GatewayLimits, releases: [ReleaseID]) -> String {
        [
            "running_tasks \(running)",
            "max_running_tasks \(limits.maxParallelTasks)",
            "max_packed_size \(limits.maxPackedMebibytes)",
            "max_unpacked_size \(limits.maxUnpackedMebibytes)",
            "supported_formats \(limits.formats.joined(separator: " "))",
            "supported_releases \(releases.map(\.description).sorted().prefix(maximumReleases).joined(separator: " "))",
        ].joined(separator: "\n")
    }
}
