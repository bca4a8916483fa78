import CrashModel
import FoundationEssentials
import Packages

/// `text` with a capital at the front where it begins with an ordinary word, and a full stop at the end.
func sentence(_ text: String) -> String { text.hasSuffix(".") ? text : text + "." }

/// Hostile text for a sentence: its first line, at most 120 characters, none that steers a terminal or turns text around.
func printable(_ text: String) -> String {
    String(
        text.unicodeScalars.prefix { $0 != "\n" && $0 != "\r" }.prefix(120).map { isHidden($0) ? "?" : Character($0) })
}

private func isHidden(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: true
    default: false
    }
}

/// What the reasons say of the mirror as a whole.
struct MirrorFacts {
    let releaseID: ReleaseID
    private let status: SyncStatus?

    init(_ releaseID: ReleaseID, _ status: SyncStatus?) {
        self.releaseID = releaseID
        self.status = status
    }

    /// `, last synchronised on 2026-11-23T18:40:00Z`; empty where that is not known.
    var age: String {
        let last =
            status?.lastSuccessAt.map {
                ", last synchronised at \(Date(timeIntervalSince1970: TimeInterval($0)).formatted(.iso8601))"
            } ?? ""
        // Nobody must take a package for unknown that only could not be fetched.
        return last
            + (status?.failure == nil ? "" : "; it may be in a newer package, since the last synchronisation failed")
    }

    /// Said once for the whole crash, when the last synchronisation failed.
    var remark: String? {
        status?.failure.map {
            "The last synchronisation of \(releaseID) failed, so newer packages may be missing: \(sentence($0))"
        }
    }
}
