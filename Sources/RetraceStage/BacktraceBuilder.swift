import CrashModel

/// Turns what the debugger said into the backtrace that we answer for: modules, build-ids and packages come from our own
/// reading of the core and from the resolution, never from the debugger.
struct BacktraceBuilder {
    let modules: [ResolvedModule]
    let limits: RetraceLimits

    func backtrace(of lines: FrameLines) -> Backtrace {
        let threads = lines.threads.map { thread in
            BacktraceThread(
                number: thread.number, threadID: thread.threadID, name: thread.name.map(cut), crashed: thread.crashed,
                frames: thread.frames.map(frame), endReason: thread.endReason.map(cut))
        }
        return Backtrace(threads: threads.filter(\.crashed) + threads.filter { !$0.crashed })
    }

    private func frame(_ frame: FrameLines.ScriptFrame) -> BacktraceFrame {
        let resolved = modules.first { $0.module.start <= frame.pc && frame.pc < $0.module.end }
        return BacktraceFrame(
            level: frame.level, address: frame.pc, function: frame.signal ? signalHandlerName : frame.function.map(cut),
            sourceFile: frame.file.map(cut), sourceLine: frame.line.flatMap { $0 > 0 ? $0 : nil },
            module: resolved?.module.path, buildID: resolved?.module.buildID, package: resolved?.binary?.nevra,
            inlined: frame.inline, arguments: variables(frame.arguments), locals: variables(frame.locals),
            source: excerpt(frame))
    }

    /// At most eleven lines, which hold the frame's own.
    private func excerpt(_ frame: FrameLines.ScriptFrame) -> SourceExcerpt? {
        guard let first = frame.sourceFirst, let lines = frame.source?.prefix(11), let line = frame.line, first > 0,
            (first..<first + lines.count).contains(line)
        else { return nil }
        return SourceExcerpt(firstLine: first, lines: lines.map(cut))
    }

    private func variables(_ pairs: [[String]]?) -> [BacktraceVariable] {
        (pairs ?? []).prefix(512).compactMap { pair in
            pair.count == 2 ? BacktraceVariable(name: cut(pair[0]), value: cut(pair[1])) : nil
        }
    }

    private func cut(_ text: String) -> String {
        guard text.utf8.count > limits.valueBytes else { return text }
        // Cutting inside a character leaves a replacement character at the end, which tells as much.
        return String(decoding: text.utf8.prefix(limits.valueBytes), as: UTF8.self) + "…"
    }
}
