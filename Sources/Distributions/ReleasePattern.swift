import Synchronization

/// A regular expression of a plugin, compiled once; group 1 is the version, and a group 2 what stands after its dot.
///
/// It is given 512 bytes of hostile text at most, which bounds what a pattern that backtracks can cost.
struct ReleasePattern: Sendable {
    static let longestText = 512

    let text: String
    private let compiled: Compiled

    /// - Throws: The reason, as the compiler of regular expressions words it, or that there is no group 1.
    init(_ text: String) throws {
        self.text = text
        let regex = try Regex(text)
        // A match is the only public way to count the groups, hence the brackets in the text.
        guard text.contains("(") else { throw MissingGroup() }
        compiled = Compiled(regex)
    }

    /// What the groups have of the first match in the first 512 bytes of `subject`, with dots between.
    func version(in subject: some StringProtocol) -> String? {
        let bounded = String(decoding: subject.utf8.prefix(Self.longestText), as: UTF8.self)
        return compiled.regex.withLock { regex in
            guard let match = bounded.firstMatch(of: regex), match.output.count > 1 else { return nil }
            guard let first = match.output[1].substring else { return nil }
            guard match.output.count > 2, let second = match.output[2].substring else { return String(first) }
            return "\(first).\(second)"
        }
    }

    struct MissingGroup: Error, CustomStringConvertible {
        var description: String { "it has no group, and group 1 is the version" }
    }

    private final class Compiled: Sendable {
        let regex: Mutex<Regex<AnyRegexOutput>>
        init(_ regex: sending Regex<AnyRegexOutput>) { self.regex = Mutex(regex) }
    }
}
