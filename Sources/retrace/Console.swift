import Glibc
import RetraceClient

/// The command's two streams. Writing to them may block as long as whoever reads them does.
enum Console {
    /// Whether progress can be drawn: standard error is a terminal that moves its cursor.
    static let isLive = isatty(2) == 1 && variable("TERM") != "dumb"
    /// Whether colours are welcome (no-color.org).
    static let hasColour = isLive && (variable("NO_COLOR") ?? "").isEmpty
    static let resultIsTerminal = isatty(1) == 1

    /// A variable of the environment.
    static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// A line for the person, on standard error.
    static func say(_ line: String) { write(line + "\n", to: 2) }

    /// Part of the drawing of progress, on standard error.
    static func draw(_ text: String) { write(text, to: 2) }

    /// What went wrong, and what to do.
    static func complain(_ reason: String, _ advice: String?) {
        say(colour(.red, "retrace: ") + printable(reason))
        if let advice { say(printable(advice)) }
    }

    /// A line of the result, on standard output.
    static func print(_ line: String) throws(ClientError) { try result(Array((line + "\n").utf8)) }

    /// Bytes of the result, on standard output.
    static func result(_ bytes: [UInt8]) throws(ClientError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(1, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw ClientError(
                    .system, "Standard output cannot be written: \(String(cString: strerror(errno))).")
            }
            rest = rest.dropFirst(count)
        }
    }

    enum Colour: String {
        case red = "31"
        case green = "32"
        case yellow = "33"
        case dim = "2"
    }

    static func colour(_ colour: Colour, _ text: String) -> String {
        hasColour ? "\u{1b}[\(colour.rawValue)m\(text)\u{1b}[0m" : text
    }

    private static func write(_ text: String, to stream: Int32) {
        let bytes = Array(text.utf8)
        // Nowhere is left to say that standard error cannot be written.
        _ = bytes.withUnsafeBytes { Glibc.write(stream, $0.baseAddress, $0.count) }
    }
}

extension Console {
    /// The columns of the terminal on standard error; 80 where it does not tell.
    static var width: Int {
        // struct winsize of ioctl_tty(2): rows, columns and two that nobody uses.
        var size = [UInt16](repeating: 0, count: 4)
        guard ioctl(2, UInt(TIOCGWINSZ), &size) == 0, size[1] > 0 else { return 80 }
        return Int(size[1])
    }
}
