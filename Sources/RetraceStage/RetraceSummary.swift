package import CrashModel

/// What a finished retrace comes to, for events, statistics and lists.
package struct RetraceSummary: Hashable, Sendable {
    /// The function that crashed: the topmost of the crashing thread that is no plumbing of abort or assert.
    package let crashFunction: String?
    package let signal: CrashSignal?
    package let threads: Int
    package let frames: Int
    /// How many of ``frames`` have a function's name.
    package let symbolisedFrames: Int
    /// How long the debugger's process took.
    package let debuggerTime: Duration
    package let quality: BacktraceQuality
    package let signature: CrashSignature
    /// From 0 to 9, as in `results/exploitable`; nil for a kernel.
    package let exploitability: Int?
    /// What makes the result less than it could be, a sentence each.
    package let remarks: [String]
    /// Why a kernel stopped, in its own words.
    package var panic: String?
    /// How much could be made of a kernel's dump; nil for the core of a process.
    package var rung: AnalysisRung?

    /// What came of it, for the person who waits.
    package var sentence: String {
        let place = crashFunction.map { "It crashed in \($0); " } ?? ""
        if let rung, rung != .full { return "\(place)what could be had is \(rung.meaning)." }
        return "\(place)\(symbolisedFrames) of \(frames) frames have names."
    }

    /// For the event that ends the stage: keys as in `TaskEvent.facts`.
    package var facts: [String: String] {
        var facts = [
            "threads": "\(threads)", "frames": "\(frames)", "symbolised_frames": "\(symbolisedFrames)",
            "quality": quality.rawValue, "signature": signature.hash,
            "debugger_milliseconds": "\(debuggerTime.milliseconds)",
        ]
        facts["exploitability"] = exploitability.map(String.init)
        facts["crash_function"] = crashFunction
        facts["signal"] = signal?.description
        facts["panic"] = panic.map { String($0.prefix(500)) }
        facts["rung"] = rung?.rawValue
        return facts
    }
}

/// How much the crashing thread's frames tell.
package enum BacktraceQuality: String, Hashable, Sendable {
    /// Functions with source lines.
    case full
    /// Functions, but no source line.
    case namesOnly = "names-only"
    /// Addresses alone.
    case addresses
}

extension BacktraceQuality {
    init(of backtrace: Backtrace) {
        let frames = backtrace.threads.first?.frames ?? []
        if frames.contains(where: { $0.sourceLine != nil }) {
            self = .full
        } else {
            self = frames.contains { $0.function != nil } ? .namesOnly : .addresses
        }
    }
}

extension Duration {
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
