import CrashModel

extension KernelReport {
    /// The file `backtrace`: why and where the kernel stopped and how much that is worth, first; then the summary of the
    /// system, the stack of the task that panicked, and the kernel's log, which is all that other servers give.
    var text: String {
        var parts = [head.joined(separator: "\n")]
        if !summary.remarks.isEmpty { parts.append(section("REMARKS", summary.remarks.joined(separator: "\n"))) }
        if let system = findings.outputs["sys"] { parts.append(section("SYSTEM", withoutMargins(system))) }
        if let stack = findings.outputs["bt"] {
            parts.append(section("BACKTRACE OF THE TASK THAT PANICKED", withoutMargins(stack)))
        }
        if let log = findings.log { parts.append(section("KERNEL LOG", withoutMargins(log.text))) }
        return parts.joined(separator: "\n\n") + "\n"
    }

    private var head: [String] {
        var lines = [panic ?? "The kernel does not say why it stopped."]
        let release = kernel.release.map(\.description) ?? "of a version that nothing tells"
        var line = "Kernel \(release)"
        if let buildID = kernel.buildID { line += ", build-id \(buildID)" }
        switch findings.verified {
        case true?: line += "; the symbols are its own, by the build-id"
        case false?: line += "; that the symbols are its own is not proved"
        case nil: break
        }
        lines.append(line + ".")
        if let stack {
            let place = summary.crashFunction.map { " in \($0)" } ?? ""
            lines.append(
                "It happened\(place), on CPU \(stack.cpu.map(String.init) ?? "?"), in the task \(stack.command)"
                    + " (pid \(stack.pid.map(String.init) ?? "?")).")
        }
        if let taint { lines.append(taint.sentence) }
        lines.append("Analysis: \(rung.rawValue): \(rung.meaning), by \(debugger).")
        for refusal in findings.refusals { lines.append("Not \(refusal.rung.rawValue): \(refusal.reason)") }
        return lines.map { safeText($0.utf8) }
    }

    private func section(_ title: String, _ text: String) -> String { "== \(title) ==\n\(text)" }
}

extension KernelTaint {
    /// `Tainted: W (the kernel had warned).`
    var sentence: String {
        if letters.isEmpty { return "The kernel was not tainted." }
        return "Tainted: " + letters.map { "\($0) (\(Self.meanings[$0] ?? ""))" }.joined(separator: ", ") + "."
    }
}

/// Without blank lines before and blanks after; the first line keeps its place in its column.
private func withoutMargins(_ text: String) -> String {
    guard let first = text.firstIndex(where: { !$0.isWhitespace }),
        let last = text.lastIndex(where: { !$0.isWhitespace })
    else { return "" }
    let start = text[..<first].lastIndex(where: \.isNewline).map { text.index(after: $0) } ?? text.startIndex
    return String(text[start...last])
}
