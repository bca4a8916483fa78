import Synchronization

/// Shows how much of a transfer is done, on a terminal only and at most ten times a second.
final class TransferDisplay: Sendable {
    private let lastDrawn = Mutex<ContinuousClock.Instant?>(nil)

    func show(_ verb: String, _ done: Int64, of total: Int64) {
        guard Console.isLive, total > 0 else { return }
        let isDue = lastDrawn.withLock { last in
            let now = ContinuousClock.now
            if let last, now - last < .milliseconds(100) { return false }
            last = now
            return true
        }
        guard isDue else { return }
        let percent = Int(min(1, Double(done) / Double(total)) * 100)
        Console.draw("\r\u{1b}[K\(verb) … \(percent) % of \(size(total))")
    }

    /// Replaces the display by one line.
    func end(_ line: String) {
        if Console.isLive { Console.draw("\r\u{1b}[K") }
        Console.say(line)
    }
}

/// A number of bytes for people: `3.4 MiB`.
func size(_ bytes: Int64) -> String {
    var (value, unit) = (Double(bytes), "bytes")
    for next in ["KiB", "MiB", "GiB", "TiB"] where value >= 1024 { (value, unit) = (value / 1024, next) }
    guard unit != "bytes" else { return "\(bytes) bytes" }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) \(unit)"
}
