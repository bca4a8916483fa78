import Glibc
package import Logging

/// Log lines on standard error: for a person on a terminal, `key=value` for a collector otherwise.
package struct StderrLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    private let service: String
    private let isTerminal: Bool

    /// - Parameter isTerminal: Whether a person reads along; by default whether standard error is a terminal.
    package init(service: String, level: Logger.Level, isTerminal: Bool = isatty(2) == 1) {
        self.service = service
        self.isTerminal = isTerminal
        logLevel = level
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let line = Array((text(of: event) + "\n").utf8)
        // Nowhere is left to say that standard error cannot be written.
        _ = line.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
    }

    /// The line of an event, without its end.
    package func text(of event: LogEvent) -> String {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        let now = Self.now()
        guard !isTerminal else {
            let details = all.map { " \($0.key)=\($0.value)" }.joined()
            let level = event.level < .notice ? "" : "\(event.level): "
            return "\(now.dropFirst(11).prefix(12)) \(service): \(level)\(Self.oneLine("\(event.message)"))\(details)"
        }
        let details = all.map { " \($0.key)=\(Self.quoted("\($0.value)"))" }.joined()
        let message = Self.quoted("\(event.message)")
        return "time=\(now) level=\(event.level) service=\(service) message=\(message)\(details)"
    }

    /// A message may hold what an upload says: it must not begin a line of its own or steer a terminal.
    private static func oneLine(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? " " : $0 }))
    }

    private static func quoted(_ text: String) -> String {
        let plain = text.utf8.allSatisfy { $0 > 32 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=") && $0 < 127 }
        guard !plain || text.isEmpty else { return text }
        let escaped = oneLine(text).flatMap { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }
        return "\"\(String(escaped))\""
    }

    /// `2026-11-23T18:40:00.123Z`
    private static func now() -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        var parts = tm()
        gmtime_r(&time.tv_sec, &parts)
        func digits(_ number: Int, _ count: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        let date = [
            digits(Int(parts.tm_year) + 1900, 4), digits(Int(parts.tm_mon) + 1, 2), digits(Int(parts.tm_mday), 2),
        ]
        let clock = [digits(Int(parts.tm_hour), 2), digits(Int(parts.tm_min), 2), digits(Int(parts.tm_sec), 2)]
        return "\(date.joined(separator: "-"))T\(clock.joined(separator: ":")).\(digits(time.tv_nsec / 1_000_000, 3))Z"
    }
}
