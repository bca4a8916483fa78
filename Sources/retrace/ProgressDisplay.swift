import RetraceClient

/// Shows a task, or a synchronisation, as it goes: one line for each stage with its time on a terminal, plain lines
/// elsewhere.
struct ProgressDisplay {
    private let start = ContinuousClock.now
    private var stage = ""
    private var stageStart = ContinuousClock.now
    private var detail = ""
    private var frame = 0
    private var lastSaid = ContinuousClock.now
    private var isDrawn = false

    /// The stage of now, and more words about it.
    ///
    /// Where nothing can be drawn anew, words about the same stage are said every two seconds at most.
    mutating func show(stage newStage: String, detail newDetail: String = "") {
        let isNew = newStage != stage
        if isNew {
            endStage()
            (stage, stageStart) = (newStage, .now)
        }
        detail = newDetail
        if Console.isLive {
            redraw()
        } else if isNew || ContinuousClock.now - lastSaid >= .seconds(2) {
            lastSaid = .now
            Console.say(
                "[\(seconds(since: start)) s] " + [stage, detail].filter { !$0.isEmpty }.joined(separator: " "))
        }
    }

    /// Waits, and keeps the display in motion meanwhile.
    mutating func wait(_ duration: Duration) async throws {
        guard Console.isLive else { return try await ContinuousClock().sleep(for: duration) }
        let end = ContinuousClock.now + duration
        while ContinuousClock.now < end {
            try await ContinuousClock().sleep(for: min(end - .now, .milliseconds(100)))
            redraw()
        }
    }

    /// Leaves the line of the last stage behind and ends the drawing.
    mutating func end() {
        endStage()
        stage = ""
    }

    /// The time since the beginning, in seconds: `1.3`.
    var elapsed: String { seconds(since: start) }

    private mutating func redraw() {
        guard Console.isLive, !stage.isEmpty else { return }
        let frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]
        frame = (frame + 1) % frames.count
        let text = [stage, detail].filter { !$0.isEmpty }.joined(separator: " ")
        let time = "\(seconds(since: stageStart)) s"
        Console.draw(
            "\r\u{1b}[K" + Console.colour(.yellow, frames[frame]) + " " + fitted(text, beside: time.count + 4) + "  "
                + Console.colour(.dim, time))
        isDrawn = true
    }

    private mutating func endStage() {
        guard Console.isLive, isDrawn else { return }
        isDrawn = false
        let time = "\(seconds(since: stageStart)) s"
        Console.draw(
            "\r\u{1b}[K" + Console.colour(.green, "✓") + " " + fitted(stage, beside: time.count + 4) + "  "
                + Console.colour(.dim, time) + "\n")
    }

    /// One line that does not wrap, for a wrapped one could not be drawn anew.
    private func fitted(_ text: String, beside count: Int) -> String {
        let width = max(20, Console.width - count)
        let line = printable(text).split(whereSeparator: { $0 == "\n" || $0 == "\t" }).joined(separator: " ")
        return line.count <= width ? line : line.prefix(width - 1) + "…"
    }

    private func seconds(since instant: ContinuousClock.Instant) -> String {
        let tenths = Int((ContinuousClock.now - instant) / .milliseconds(100))
        return "\(tenths / 10).\(tenths % 10)"
    }
}
