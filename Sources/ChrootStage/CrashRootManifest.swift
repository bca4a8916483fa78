import CrashModel
import Crypto
import FoundationEssentials
import SystemPackage

/// What a crash root was built from; `<task>.json` beside the root.
struct CrashRootManifest: Codable {
    /// SHA-256 over everything of the resolution that shapes a root.
    let fingerprint: String
    let remarks: [String]
    /// What the files themselves said against the resolution.
    let corrections: [ModuleCorrection]

    init(fingerprint: String, remarks: [String], corrections: [ModuleCorrection]) {
        self.fingerprint = fingerprint
        self.remarks = remarks
        self.corrections = corrections
    }

    /// Equal for resolutions that give the same root, in lower-case hex.
    static func fingerprint(of resolution: Resolution) -> String {
        var hash = SHA256()
        func add(_ parts: [String]) {
            for part in parts { hash.update(data: Array(part.utf8) + [0]) }
            hash.update(data: [1])
        }
        add([resolution.releaseID.description])
        for package in resolution.packages { add([package.sha256, package.location] + (package.files ?? ["*"])) }
        for module in resolution.modules {
            add([module.module.path, module.binary?.path ?? "", module.debuginfo?.path ?? ""])
        }
        return hexadecimal(hash.finalize())
    }

    /// Reads the manifest; nil when there is none or it is damaged, since then the root is built again.
    init?(at path: FilePath) throws(Errno) {
        guard let bytes = try readFile(path), let read = try? JSONDecoder().decode(Self.self, from: Data(bytes))
        else { return nil }
        self = read
    }

    func write(to path: FilePath) throws(Errno) {
        try writeJSON(self, to: path)
    }
}

/// Lower-case hex.
func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
