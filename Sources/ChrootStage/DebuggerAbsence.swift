import FoundationEssentials
import SystemPackage

/// What a release's metadata was when it had no debugger, and why; `<release-id>.none.json`, or `<release-id>.kernel.none.json`.
struct DebuggerAbsence: Codable {
    let metadata: [MetadataStamp]
    let debuggerPackage: String
    /// The end of a sentence.
    let detail: String

    private enum CodingKeys: String, CodingKey {
        case metadata, detail
        case debuggerPackage = "debugger_package"
    }

    init(metadata: [MetadataStamp], debuggerPackage: String, detail: String) {
        self.metadata = metadata
        self.debuggerPackage = debuggerPackage
        self.detail = detail
    }

    /// Reads it; nil when there is none or it is damaged, since then the packages are solved again.
    init?(at path: FilePath) throws(Errno) {
        guard let bytes = try readFile(path), let read = try? JSONDecoder().decode(Self.self, from: Data(bytes))
        else { return nil }
        self = read
    }
}
