import FoundationEssentials
import TaskStorage

/// What the page of statistics shows; the template escapes every value.
struct StatsPage {
    let title = "Statistics"
    let since: String?
    let all: Int
    let success: Int
    let failure: Int
    let denied: Int
    let hasAny: Bool
    let chartWidth = 30 * 20
    let busiest: Int
    let days: [DayView]
    let firstDay: String
    let lastDay: String
    let tables: [Table]

    /// A day as two bars, one upon the other; the ground is at 110, the highest reaches 15.
    struct DayView {
        let day: String
        let success: Int
        let failure: Int
        let x: Int
        let goodY: Int
        let goodHeight: Int
        let badY: Int
        let badHeight: Int
    }

    struct Table {
        let title: String
        let columns: [String]
        let countName: String
        let rows: [TableRow]
    }

    struct TableRow {
        let name: String
        let more: [String]
        let count: Int
        /// Of 100.
        let width: Int
    }

    /// - Parameter now: Microseconds since the epoch.
    init(_ statistics: Statistics, now: Int64) {
        since = statistics.first.map { isoDate($0 / 86_400_000_000) }
        success = statistics.success
        failure = statistics.failure
        all = success + failure
        denied = statistics.denied
        hasAny = all > 0
        let today = now / 86_400_000_000
        let byDay = Dictionary(statistics.days.map { ($0.day, $0) }) { first, _ in first }
        let most = max(1, statistics.days.map { $0.success + $0.failure }.max() ?? 1)
        busiest = most
        days = (0..<30).map { index in
            let day = today - 29 + Int64(index)
            let (good, bad) = (byDay[day]?.success ?? 0, byDay[day]?.failure ?? 0)
            let whole = (good + bad) * 95 / most
            let badHeight = good + bad == 0 ? 0 : whole * bad / (good + bad)
            return DayView(
                day: isoDate(day), success: good, failure: bad, x: index * 20 + 2,
                goodY: 110 - whole + badHeight, goodHeight: whole - badHeight, badY: 110 - whole, badHeight: badHeight)
        }
        firstDay = isoDate(today - 29)
        lastDay = isoDate(today)
        tables = [
            Self.table("Architectures", "Architecture", statistics.architectures),
            Self.table("Releases", "Release", statistics.releases),
            Self.table("Packages that crashed", "Package", statistics.packages),
            Self.table(
                "Packages that were needed", "Package", statistics.requiredPackages, more: "Versions", count: "Uses"),
            Self.table("Missing build-ids", "File", statistics.missingBuildIDs, more: "Build-id", count: "Crashes"),
        ].filter { !$0.rows.isEmpty }
    }

    private static func table(
        _ title: String, _ name: String, _ counts: [Statistics.Count], more: String? = nil, count: String = "Tasks"
    ) -> Table {
        let most = max(1, counts.map(\.count).max() ?? 1)
        return Table(
            title: title, columns: [name] + (more.map { [$0] } ?? []), countName: count,
            rows: counts.map {
                TableRow(
                    name: shown($0.name, 200), more: more == nil ? [] : [shown($0.more ?? "–", 80)], count: $0.count,
                    width: max(1, $0.count * 100 / most))
            })
    }
}

/// `2026-11-25`, of a number of days since the epoch.
func isoDate(_ day: Int64) -> String {
    String(Date(timeIntervalSince1970: Double(day) * 86400).formatted(.iso8601).prefix(10))
}
