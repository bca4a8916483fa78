package import CrashModel
import Crypto
package import SystemPackage

/// What is wanted of one kernel's debuginfo, and the package that has it.
package struct KernelRequest: Sendable {
    /// That of vmlinux, by the dump; nil where the dump does not say.
    package let buildID: BuildID?
    /// The package file, `.deb` or `.rpm`.
    package let package: FilePath
    /// Its SHA-256 in lower-case hex.
    package let sha256: String
    /// The absolute path of vmlinux in the package, `/usr` merged.
    package let vmlinux: String
    /// nil where no module is wanted.
    package let modules: KernelModules?

    /// - Parameter vmlinux: Absolute, in either spelling of a merged `/usr`.
    package init(
        buildID: BuildID?, package: FilePath, sha256: String, vmlinux: String, modules: KernelModules? = nil
    ) {
        self.buildID = buildID
        self.package = package
        self.sha256 = sha256
        self.vmlinux = usrMerged(vmlinux)
        self.modules = modules
    }

    /// The name of the entry in the store: the build-id, or else the package and the path in it.
    var entryName: String {
        if let buildID { return buildID.description }
        let path = SHA256.hash(data: Array(vmlinux.utf8)).prefix(8)
        let digits = Array("0123456789abcdef".utf8)
        return sha256 + "-"
            + String(decoding: path.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

/// Which modules' debug files are wanted, and where they are in the package.
package struct KernelModules: Sendable {
    package enum Choice: Sendable {
        case all
        /// By name, with underscores or dashes.
        case named(Set<String>)
        /// Those that the answer names, which may need vmlinux to be told; nil for all.
        case asked(@Sendable (_ vmlinux: FilePath) async -> [String]?)
    }

    /// The absolute path of the directory that they are somewhere below, without a slash at the end, `/usr` merged.
    package let directory: String
    package let choice: Choice

    /// - Parameter directory: Absolute, in either spelling of a merged `/usr`, with or without a slash at the end.
    package init(below directory: String, _ choice: Choice) {
        let merged = usrMerged(directory)
        self.directory = merged.hasSuffix("/") ? String(merged.dropLast()) : merged
        self.choice = choice
    }

    /// The module whose uncompressed debug file lies at `path`, with underscores; nil when it is no such file.
    ///
    /// Debian's packages of symbols have `NAME.ko`, those of RPM `NAME.ko.debug`. Other files of these names, such as
    /// `NAME.ko.xz`, have no debuginfo.
    func module(at path: String) -> String? {
        guard path.hasPrefix(directory + "/"), let slash = path.lastIndex(of: "/") else { return nil }
        let file = path[path.index(after: slash)...]
        guard let suffix = [".ko", ".ko.debug"].first(where: { file.hasSuffix($0) }) else { return nil }
        let name = file.dropLast(suffix.count)
        return Self.isPlain(name) && !path.utf8.contains(where: { $0 < 0x20 }) ? Self.canonical(name) : nil
    }

    /// How the kernel itself spells the name of a module: `snd-hda-intel` is `snd_hda_intel`.
    package static func canonical(_ name: some StringProtocol) -> String {
        String(name.map { $0 == "-" ? "_" : $0 })
    }

    /// Whether it can be a module's name: 1 to 64 letters, digits, dashes, underscores, dots or pluses
    /// (`MODULE_NAME_LEN` of linux/module.h is less than 64).
    package static func isPlain(_ name: some StringProtocol) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "A")...UInt8(ascii: "Z"):
                    true
                default: "-_.+".utf8.contains(byte)
                }
            }
    }
}

/// The right to use the symbols of a kernel: while it lives, no process evicts them.
package struct KernelLease: Sendable {
    /// On the tree that holds the files under the paths of their package.
    package let lease: PackageLease
    /// The absolute path of vmlinux in the tree; a regular file.
    package let vmlinux: String
    /// The absolute paths of the modules' debug files that were wanted, in the tree and in order; regular files.
    package let modules: [String]
    /// The modules that were wanted and are not in the package, with underscores and in order.
    package let missing: [String]
}

/// How far the store is with a kernel, for the person who waits.
package enum KernelStep: Hashable, Sendable {
    /// Another worker is unpacking the same kernel.
    case waiting
    /// The package is being read: so much of it, from 0 to 1.
    case reading(Double)
    /// vmlinux is in the store.
    case vmlinux
}
