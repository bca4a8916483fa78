import CrashModel

/// A line `#0  0x… in function (arguments) at file.c:12` of gdb's text, without its arguments.
struct TextFrame: Hashable {
    let level: Int
    let address: UInt64?
    let function: String?
    let file: String?
    let line: Int?
}

/// One `Thread 1 (…)` of gdb's text.
struct TextThread: Hashable {
    let number: Int
    let threadID: Int?
    var frames: [TextFrame] = []
}

/// Reads the threads and frames that `thread apply all backtrace full` printed.
///
/// It is what is left when gdb has no Python, and the witness that text and data say the same.
func textThreads(in text: String) -> [TextThread] {
    var threads: [TextThread] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: true) {
        if line.hasPrefix("Thread "), let thread = textThread(line) {
            threads.append(thread)
        } else if line.hasPrefix("#"), !threads.isEmpty, let frame = textFrame(line),
            frame.level == threads[threads.count - 1].frames.count
        {
            threads[threads.count - 1].frames.append(frame)
        }
    }
    return threads
}

/// `Thread 2 (Thread 0x7f… (LWP 123) "name"):` or `Thread 2 (LWP 123):`.
private func textThread(_ line: Substring) -> TextThread? {
    let words = line.split(separator: " ")
    guard words.count > 2, let number = Int(words[1]), words[2].hasPrefix("(") else { return nil }
    let id = words.firstIndex(where: { $0.hasSuffix("(LWP") }).flatMap { at in
        at + 1 < words.count ? Int(words[at + 1].prefix(while: \.isNumber)) : nil
    }
    return TextThread(number: number, threadID: id)
}

private func textFrame(_ line: Substring) -> TextFrame? {
    var rest = line.dropFirst()
    guard let level = Int(rest.prefix(while: \.isNumber)) else { return nil }
    rest = rest.drop(while: \.isNumber).drop { $0 == " " }
    var address: UInt64?
    if rest.hasPrefix("0x"), let end = rest.firstRange(of: " in ") {
        address = UInt64(rest[..<end.lowerBound].dropFirst(2), radix: 16)
        rest = rest[end.upperBound...]
    }
    if rest.hasPrefix(signalHandlerName) {
        return TextFrame(level: level, address: address, function: signalHandlerName, file: nil, line: nil)
    }
    // The list of arguments starts at the first " (" that does not belong to a C++ name such as "operator (".
    let name = rest.firstRange(of: " (").map { rest[..<$0.lowerBound] } ?? rest
    var file: String?
    var number: Int?
    if let at = rest.ranges(of: ") at ").last {
        let place = rest[at.upperBound...]
        if let colon = place.lastIndex(of: ":"), let parsed = Int(place[place.index(after: colon)...]) {
            file = String(place[..<colon])
            number = parsed
        }
    }
    return TextFrame(
        level: level, address: address, function: name == "??" ? nil : String(name), file: file, line: number)
}

extension Backtrace {
    /// What the text alone tells: names and lines, no modules and no variables.
    init(_ threads: [TextThread]) {
        self.init(
            threads: threads.enumerated().map { index, thread in
                BacktraceThread(
                    number: thread.number, threadID: thread.threadID, name: nil, crashed: thread.number == 1,
                    frames: thread.frames.map { frame in
                        BacktraceFrame(
                            level: frame.level, address: frame.address ?? 0, function: frame.function,
                            sourceFile: frame.file, sourceLine: frame.line, module: nil, buildID: nil, package: nil,
                            inlined: false, arguments: [], locals: [])
                    })
            })
    }
}
