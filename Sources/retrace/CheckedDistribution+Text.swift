import Glibc
import RetraceClient

extension CheckedDistribution {
    /// For people, a line each; of several releases only the mirrors that fail are named.
    var lines: [String] {
        let isOne = releases.count == 1
        var lines = [
            "\(name): \(displayName), \(isEnabled ? "enabled" : "not enabled") (\(files.joined(separator: " + ")))"
        ]
        lines.append("  releases       \(versions.joined(separator: ", ")) on \(architectures.joined(separator: ", "))")
        lines.append("  debugger       " + debugger + (kernelDebugger.map { "; for kernel dumps \($0)" } ?? ""))
        for file in keys { lines += file.lines }
        for release in releases {
            lines.append("  \(release.releaseID) would be synchronised from")
            for repository in release.repositories { lines += repository.lines(naming: isOne) }
        }
        lines += problems.map { "  PROBLEM        " + $0 }
        lines += notes.map { "  note           " + $0 }
        return lines.map(printable)
    }
}

extension CheckedKeyFile {
    fileprivate var lines: [String] {
        let of = "\(file) (\(versions.joined(separator: ", ")))"
        guard !keys.isEmpty else {
            return ["  key            \(of): " + (state == .missing ? "missing: see gpg/README.md" : state.rawValue)]
        }
        return keys.map { key in
            let end = key.isRevoked ? "revoked" : key.expires.map { "expires \(PublicKey.day($0))" } ?? "never expires"
            return "  key            \(of): \(key.fingerprint), \(end), \(key.owner)"
        }
    }
}

extension CheckedRepository {
    fileprivate func lines(naming all: Bool) -> [String] {
        var words = [mode == "lazy" ? "packages on first need" : "every package"]
        words.append(keptVersions.map { "the newest \($0) versions of each" } ?? "every version for ever")
        if let bytesPerSecond { words.append("at most \(Self.amount(bytesPerSecond)) a second") }
        if isDebug { words.append("debug symbols") }
        if isOptional { words.append("optional") }
        if !checksSignatures { words.append("UNSIGNED") }
        let asked = mirrors.filter { $0.answers != nil }
        let answering = asked.filter { $0.answers == true }.count
        words.append(
            asked.isEmpty
                ? "\(mirrors.count) mirrors, not asked" : "\(answering) of \(asked.count) mirrors answer")
        return ["    \(name): " + words.joined(separator: ", ")]
            + mirrors.filter { all || $0.answers == false }.map { mirror in
                let state = mirror.answers.map { $0 ? "answers" : "fails  " } ?? "mirror "
                return "      \(state) \(mirror.mirror)" + (mirror.detail.map { ": \($0)" } ?? "")
            }
    }
}

extension CheckedRepository {
    /// `5 MiB`, or bytes where they are no whole number of a unit.
    private static func amount(_ bytes: UInt64) -> String {
        for (unit, size) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] as [(String, UInt64)]
        where bytes % size == 0 { return "\(bytes / size) \(unit)" }
        return "\(bytes) bytes"
    }
}

extension PublicKey {
    /// The day of a moment, in UTC: `2031-01-19` (days to a civil date, after the proleptic Gregorian calendar).
    static func day(_ seconds: Int) -> String {
        var time = time_t(seconds)
        var parts = tm()
        guard gmtime_r(&time, &parts) != nil else { return "at \(seconds)" }
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
    }
}
