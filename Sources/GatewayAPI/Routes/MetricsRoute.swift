import CrashModel
import Hummingbird
import TaskStorage

/// `GET /metrics`: counts and ages in Prometheus' text format, where the operator allows it (AllowMetrics).
///
/// The first four are upstream's, by name and order.
struct MetricsRoute: Sendable {
    let dependencies: GatewayDependencies

    func add(to router: GatewayRouter) {
        router.onAnyMethod("metrics") { request, _ in
            try dependencies.access.check(request)
            guard dependencies.limits.allowMetrics else {
                throw Refusal(.forbidden, .metricsNotPublic, advice: .operatorAllowsMetrics)
            }
            let spool = dependencies.spool
            let free = try? await dependencies.onDisk { [freeBytes = dependencies.freeBytes] in try freeBytes(spool) }
            let totals = try await dependencies.store.totals()
            return plainText(
                Self.text(
                    freeBytes: free, running: dependencies.active.count, totals: totals,
                    mirrors: await dependencies.mirrors()))
        }
    }

    static func text(
        freeBytes: UInt64?, running: Int, totals: OutcomeTotals, mirrors: [MirroredRelease]
    ) -> String {
        var lines: [String] = []
        func add(_ name: String, _ kind: String, _ help: String, _ samples: [(labels: String, value: String)]) {
            guard !samples.isEmpty else { return }
            lines += ["# HELP \(name) \(help)", "# TYPE \(name) \(kind)"]
            lines += samples.map { "\(name)\($0.labels) \($0.value)" }
        }
        add(
            "retrace_savedir_free_bytes", "gauge", "Free space where uploads are unpacked, in bytes.",
            freeBytes.map { [("", String($0))] } ?? [])
        add("retrace_tasks_running", "gauge", "Uploads and tasks in work.", [("", String(running))])
        add(
            "retrace_tasks_overload", "counter", "Uploads refused because the server was full.",
            [("", String(totals.denied))])
        add(
            "retrace_tasks_finished", "counter", "Tasks that have ended, also those that are gone.",
            [
                ("{result=\"fail\"}", String(totals.failure)),
                ("{result=\"success\"}", String(totals.success)),
            ])
        let sorted = mirrors.sorted { $0.releaseID.description < $1.releaseID.description }
        // A release id is letters, digits and -._ (ReleaseID), so a label needs no escapes.
        func each(_ value: (MirroredRelease) -> String?) -> [(labels: String, value: String)] {
            sorted.compactMap { mirror in value(mirror).map { ("{release=\"\(mirror.releaseID)\"}", $0) } }
        }
        add(
            "retrace_release_last_success_timestamp_seconds", "gauge",
            "When a release was last synchronised well, in seconds since the epoch.",
            each { $0.lastSuccessAt.map(String.init) })
        add(
            "retrace_release_last_sync_failed", "gauge", "1 if the last synchronisation of a release failed.",
            each { $0.finishedAt == nil ? nil : $0.failure == nil ? "0" : "1" })
        add(
            "retrace_release_packages", "gauge", "Packages in the index of a release.", each { String($0.packageCount) }
        )
        return lines.joined(separator: "\n") + "\n"
    }
}
