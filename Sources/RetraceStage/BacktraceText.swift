import CrashModel

/// The file `backtrace`: what gdb printed, and after it what it could not know.
///
/// - Parameters:
///   - printed: gdb's standard output as ``safeText(_:)``.
///   - backtrace: Whose source lines are shown; nil when there is none.
func backtraceText(printed: String, backtrace: Backtrace?, resolution: Resolution, remarks: [String]) -> String {
    var text = withoutEmptyPythonSection(trimmed(printed))
    let source = sourceLines(of: backtrace)
    if !source.isEmpty { text += "\n\n== SOURCE ==\n" + source.joined(separator: "\n") }
    let missing = missingModules(in: resolution)
    if !missing.isEmpty {
        text += "\n\n== MODULES WITHOUT SYMBOLS ==\n" + missing.joined(separator: "\n")
    }
    if !remarks.isEmpty {
        text += "\n\n== REMARKS ==\n" + remarks.map { safeText($0.utf8) }.joined(separator: "\n")
    }
    return text + "\n"
}

/// The lines around the frames of the thread that crashed, the frame's own with an arrow.
private func sourceLines(of backtrace: Backtrace?) -> [String] {
    let frames = backtrace?.threads.first { $0.crashed }?.frames ?? []
    return frames.flatMap { frame -> [String] in
        guard let source = frame.source else { return [] }
        let place = "\(frame.function ?? "??") at \(frame.sourceFile ?? "??"):\(frame.sourceLine ?? 0)"
        return [safeText("frame \(frame.level), \(place)".utf8)]
            + source.lines.enumerated().map { offset, line in
                let number = source.firstLine + offset
                return safeText("\(number == frame.sourceLine ? "->" : "  ") \(number)\t\(line)".utf8)
            }
    }
}

/// A line for each module that lacks something: path, build-id and why.
func missingModules(in resolution: Resolution) -> [String] {
    resolution.incomplete.map { module in
        let buildID = module.module.buildID?.description ?? "no build-id"
        let reason = module.reason ?? "There is no more about it."
        return safeText("\(module.module.path) (\(buildID)): \(module.status.rawValue): \(reason)".utf8)
    }
}

/// The labels of the Python section go when nothing stands between them, as for every program that is not Python.
private func withoutEmptyPythonSection(_ text: String) -> String {
    let empty = SectionLabel.pythonStart + "\n" + SectionLabel.pythonEnd + "\n"
    guard let range = text.firstRange(of: empty) else { return text }
    return text.replacingCharacters(in: range)
}

extension String {
    fileprivate func replacingCharacters(in range: Range<Index>) -> String {
        String(self[..<range.lowerBound]) + self[range.upperBound...]
    }
}

/// Without blanks at the ends.
func trimmed(_ text: String) -> String {
    guard let first = text.firstIndex(where: { !$0.isWhitespace }),
        let last = text.lastIndex(where: { !$0.isWhitespace })
    else { return "" }
    return String(text[first...last])
}
