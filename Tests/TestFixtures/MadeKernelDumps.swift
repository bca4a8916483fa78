import Glibc
import Sandbox
package import SystemPackage

/// Real dumps of Debian's own kernel, with the kernel's symbols, in `.build/vmcores` of the checkout.
///
/// Whoever comes first has `.ci/make-vmcore` make them, which takes a minute or three; they are kept from run to run. A
/// suite that needs them says `.enabled(if: MadeKernelDumps.areWanted, "RETRACE_TEST_NO_VMCORE=1")`, and fails where they
/// cannot be made.
package struct MadeKernelDumps: Sendable {
    /// What the kernel died of; the names of the files begin with it.
    package enum Cause: String, Sendable, CaseIterable {
        /// `sysrq-c` by /init, one processor.
        case sysrq = "vmcore"
        /// Division by zero in the module tcp_bic, two processors.
        case oops = "vmcore-oops"

        /// The modules that the machine had loaded, sorted.
        package var modules: [String] {
            ["dummy"] + (self == .oops ? ["tcp_bic"] : [])
                + ["virtio", "virtio_blk", "virtio_pci", "virtio_pci_legacy_dev", "virtio_pci_modern_dev"]
                + ["virtio_ring"]
        }
    }

    package let folder: FilePath
    /// `uname -r`: `6.1.0-56-cloud-amd64`.
    package let release: String
    /// The version of the kernel's packages: `6.1.192-2`.
    package let version: String
    /// Debian's package of the kernel's symbols, as the archive has it.
    package let debugPackage: FilePath
    /// What there is of each dump: `raw`, `elf`, `zlib`, `flat`, and of `lzo`, `snappy` and `zstd` what the makedumpfile of
    /// this host knows; sorted. All but `raw` are without the pages that `-d 31` drops.
    package let formats: [String]

    package func dump(_ format: String, of cause: Cause = .sysrq) -> FilePath {
        folder.appending("\(cause.rawValue).\(format)")
    }

    /// A crash root of that kernel: vmlinux and the debug files of the modules that were loaded, and nothing else.
    package var symbols: FilePath { folder.appending("symbols") }
    /// In ``symbols``, and in the package.
    package var vmlinux: String { "/usr/lib/debug/boot/vmlinux-\(release)" }
    /// In ``symbols``, and in the package.
    package var modules: String { "/usr/lib/debug/lib/modules/\(release)" }

    /// Whether the person who runs the tests wants those that need dumps of a real kernel.
    package static let areWanted = getenv("RETRACE_TEST_NO_VMCORE").map { String(cString: $0) } != "1"

    /// Why there are no dumps, for the person whose test failed.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// The dumps, made where they are not there yet.
    ///
    /// - Throws: ``Failure``; it is the same for all tests of the process.
    package static func made() async throws -> MadeKernelDumps { try await DumpWorkshop.instance.dumps() }

    fileprivate static func make() async throws -> MadeKernelDumps {
        let folder = Checkout.path(".build/vmcores")
        var environment = ["DEBUG": "yes", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
        for name in ["http_proxy", "https_proxy", "no_proxy"] {
            if let value = getenv(name) { environment[name] = String(cString: value) }
        }
        // qemu's translations and its machine's memory want more room than a small tool has.
        let limits = SandboxLimits(
            memoryBytes: 1 << 40, cpuSeconds: 1800, wallTime: .seconds(1200), fileBytes: 4 << 30, processes: 1 << 16)
        let making = try await runTool(
            [Checkout.path(".ci/make-vmcore").string, folder.string], environment: environment, limits: limits)
        guard making.succeeded else {
            let said = String(decoding: making.standardError.suffix(500), as: UTF8.self)
            throw Failure(
                description:
                    "There are no dumps of a real kernel to test with, for .ci/make-vmcore \(making.termination): "
                    + "\(said) RETRACE_TEST_NO_VMCORE=1 skips the tests that need them.")
        }
        return try MadeKernelDumps(in: folder)
    }

    /// Reads `complete`, which make-vmcore writes last: the kernel and its version, then a file a line.
    private init(in folder: FilePath) throws {
        let lines = String(decoding: try FolderContents.read(folder.appending("complete")), as: UTF8.self)
            .split(separator: "\n").map(String.init)
        let kernel = lines.first?.split(separator: " ").map(String.init) ?? []
        let package = lines.first { $0.contains("-dbg_") && $0.hasSuffix(".deb") }
        let prefix = Cause.oops.rawValue + "."
        let formats = lines.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
            .filter { $0 != "dmesg" }.sorted()
        guard kernel.count == 2, let package, Set(formats).isSuperset(of: ["raw", "elf", "zlib", "flat"]) else {
            throw Failure(description: "make-vmcore has not made what the tests need: \(lines)")
        }
        self.folder = folder
        release = kernel[0]
        version = kernel[1]
        debugPackage = folder.appending(package)
        self.formats = formats
    }
}

/// Makes the dumps once, however many tests ask at the same time.
private actor DumpWorkshop {
    static let instance = DumpWorkshop()
    private var making: Task<MadeKernelDumps, any Error>?

    func dumps() async throws -> MadeKernelDumps {
        if let making { return try await making.value }
        // Awaited at once; a task only because the other callers must find it here.
        let task = Task { try await MadeKernelDumps.make() }
        making = task
        return try await task.value
    }
}
