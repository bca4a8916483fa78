import CrashModel

extension KernelReport {
    /// The file `backtrace`, in parts of which none is copied: why and where the kernel stopped and how much that is worth,
    /// first; then the summary of the system, the stack of the task that panicked, and the kernel's log, which is all that
    /// other servers give.
    var parts: [Substring] {
        var parts = [head.joined(separator: "\n")[...]]
        func add(_ title: String, _ text: [Substring]) { parts += ["\n\n== \(title) ==\n"] + text }
        if !summary.remarks.isEmpty { add("REMARKS", [summary.remarks.joined(separator: "\n")[...]]) }
        if let system = findings.outputs["sys"] { add("SYSTEM", [withoutMargins(system)]) }
        if let stack = findings.outputs["bt"] { add("BACKTRACE OF THE TASK THAT PANICKED", [withoutMargins(stack)]) }
        if let log = findings.log { add("KERNEL LOG", log.parts.dropLast() + [withoutMargins(log.text)]) }
        return parts + ["\n"]
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
        let tool = debugger.map { ", by \($0)" } ?? ""
        lines.append("Analysis: \(rung.rawValue): \(rung.meaning)\(tool).")
        for refusal in findings.refusals { lines.append("Not \(refusal.rung.rawValue): \(refusal.reason)") }
        return lines.map { safeText($0.utf8) }
    }
}

extension KernelTaint {
    /// `Tainted: W (the kernel had warned).`
    var sentence: String {
        if letters.isEmpty { return "The kernel was not tainted." }
        return "Tainted: " + letters.map { "\($0) (\(Self.meanings[$0] ?? ""))" }.joined(separator: ", ") + "."
    }
}

/// Without blank lines before and blanks after; the first line keeps its place in its column.
private func withoutMargins(_ text: String) -> Substring {
    let bytes = text.utf8
    guard let first = bytes.firstIndex(where: { $0 > 0x20 }), let last = bytes.lastIndex(where: { $0 > 0x20 }) else {
        return ""
    }
    let newline = bytes[..<first].lastIndex(of: UInt8(ascii: "\n"))
    return text[(newline.map { bytes.index(after: $0) } ?? text.startIndex)..<bytes.index(after: last)]
}
