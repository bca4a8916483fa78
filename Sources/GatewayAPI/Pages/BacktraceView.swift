/// One thread as the page shows it.
struct ThreadView {
    let title: String
    let isFirst: Bool
    let frames: [FrameView]
    let moreFrames: String?
    let endReason: String?

    private static let maximumFrames = 100

    init(_ thread: BacktraceDocument.Thread, isFirst: Bool, program: String?) {
        let all = thread.frames ?? []
        let name = thread.name.map { " “\(shown($0, 64))”" } ?? ""
        let number = thread.number.map { " \($0)" } ?? ""
        title =
            (thread.crashed == true ? "The thread that crashed" : "Thread\(number)") + name
            + (isFirst ? "" : ", \(all.count) frames")
        self.isFirst = isFirst
        frames = all.prefix(Self.maximumFrames).map { FrameView($0, program: program, showsSource: isFirst) }
        moreFrames =
            all.count > Self.maximumFrames
            ? "\(all.count - Self.maximumFrames) more frames stand in the raw text." : nil
        endReason = thread.endReason.map { shown($0, 300) }
    }
}

/// One frame as the page shows it.
struct FrameView {
    let level: Int
    let address: String
    let function: String?
    let arguments: String
    let kind: String
    let kindName: String
    let inlined: Bool
    let place: String?
    let package: String?
    let hasSource: Bool
    let source: [SourceLine]
    let hasLocals: Bool
    let localsTitle: String
    let locals: [VariableView]

    struct SourceLine {
        let number: Int
        let text: String
        let isHere: Bool
    }

    struct VariableView {
        let name: String
        let value: String
    }

    private static let maximumLocals = 64

    init(_ frame: BacktraceDocument.Frame, program: String?, showsSource: Bool) {
        level = frame.level ?? 0
        address = shown(frame.address ?? "", 32)
        function = frame.function.map { shown($0, 300) }
        let pairs = (frame.arguments ?? []).prefix(16).map { "\(shown($0.name, 64))=\(shown($0.value, 120))" }
        arguments = frame.function == nil && pairs.isEmpty ? "" : "(\(pairs.joined(separator: ", ")))"
        let isProgram = program != nil && frame.module == program
        kind = isProgram ? "program" : "library"
        kindName = isProgram ? "program" : frame.module == nil ? "unknown" : "library"
        inlined = frame.inlined == true
        place = frame.file.map { shown($0, 300) + (frame.line.map { ":\($0)" } ?? "") }
        let module = frame.module.map { shown($0, 300) }
        package = [frame.package.map { shown($0, 200) }, module].compactMap { $0 }.nonEmpty?.joined(separator: " · ")
        let first = frame.source?.firstLine ?? 1
        source =
            !showsSource
            ? []
            : (frame.source?.lines ?? []).prefix(11).enumerated().map { index, text in
                SourceLine(
                    number: first &+ index, text: shown(text, 200), isHere: first &+ index == frame.line)
            }
        hasSource = !source.isEmpty
        let all = frame.locals ?? []
        locals = all.prefix(Self.maximumLocals).map {
            VariableView(name: shown($0.name, 100), value: shown($0.value, 1000))
        }
        hasLocals = !locals.isEmpty
        localsTitle =
            (all.count == 1 ? "1 local variable" : "\(all.count) local variables")
            + (all.count > locals.count ? ", \(locals.count) of them here" : "")
    }
}

extension Array {
    fileprivate var nonEmpty: Self? { isEmpty ? nil : self }
}

/// A file for which something is missing.
struct MissingView {
    let path: String
    let buildID: String
    let reason: String
    let advice: String

    /// nil for a module that lacks nothing.
    init?(_ module: BacktraceDocument.Module) {
        switch module.status {
        case "without-debuginfo":
            advice = "Ask the operator to mirror its debug package, then send the crash again."
        case "without-binary", "unknown":
            advice =
                "It may be a build of your own, or from a repository that is not mirrored here: ask the operator to mirror it."
        case "unidentified": advice = "Link the file with a build-id (gcc -Wl,--build-id)."
        case "unverified": advice = "It may be another build; do not rely on its frames."
        default: return nil
        }
        path = shown(module.path ?? "", 300)
        buildID = shown(module.buildID ?? "no build-id", 80)
        reason = shown(module.reason ?? "Something of it was not found.", 600)
    }
}

/// The rating of exploitability, whose last line sums it up.
struct ExploitabilityView {
    let summary: String
    let text: String

    init?(_ text: String) {
        guard let last = text.split(whereSeparator: \.isNewline).last else { return nil }
        summary = shown(String(last), 200)
        self.text = shown(text, 8000)
    }
}
