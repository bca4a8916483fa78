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
    /// Where the symbols of a kernel are in the root.
    private let kernel: Kernel?

    private struct Kernel: Codable {
        let vmlinux: String
        let modules: String?
        let doubt: String?
    }

    init(fingerprint: String, remarks: [String], corrections: [ModuleCorrection], kernel: KernelFiles? = nil) {
        self.fingerprint = fingerprint
        self.remarks = remarks
        self.corrections = corrections
        self.kernel = kernel.map { Kernel(vmlinux: $0.vmlinux, modules: $0.modules, doubt: $0.doubt) }
    }

    var kernelFiles: KernelFiles? {
        kernel.map { KernelFiles(vmlinux: $0.vmlinux, modules: $0.modules, doubt: $0.doubt) }
    }

    /// Equal for resolutions that give the same root, in lower-case hex.
    ///
    /// - Parameter kernel: What a kernel's dump says of itself.
    static func fingerprint(of resolution: Resolution, kernel: KernelDump? = nil) -> String {
        var hash = SHA256()
        func add(_ parts: [String]) {
            for part in parts { hash.update(data: Array(part.utf8) + [0]) }
            hash.update(data: [1])
        }
        add([resolution.releaseID?.description ?? ""])
        for package in resolution.packages { add([package.sha256, package.location] + (package.files ?? ["*"])) }
        for module in resolution.modules {
            add([module.module.path, module.binary?.path ?? "", module.debuginfo?.path ?? ""])
        }
        if let kernel {
            add(["kernel", kernel.buildID?.description ?? ""] + (kernel.modules.map { ["of"] + $0 } ?? ["all"]))
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
