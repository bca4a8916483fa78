import CrashModel
import Distributions
import ELF
import SystemPackage
import TestFixtures
import Testing

@testable import ChrootStage
@testable import RetraceStage

/// The kernel of the made dumps, and the host's crash, as the builder of roots hands them to the stage.
struct RealKernel: Sendable {
    let dumps: MadeKernelDumps
    /// Of vmlinux, in hexadecimal.
    let buildID: String
    let debugger: DebuggerRoot

    /// The crash root: the symbols alone.
    var root: FilePath { dumps.symbols }

    static func made() async throws -> RealKernel {
        let dumps = try await MadeKernelDumps.made()
        let (identity, debugger) = try await onThread {
            // Kept from run to run beside the dumps, and made anew where the host's crash has changed.
            let crash = HostDebugger(
                debugger: DebuggerPackage(package: "crash", executable: "/usr/bin/crash", isHost: true),
                architecture: .x86_64, debuggers: dumps.folder.appending("debuggers"))
            let vmlinux = FilePath(dumps.symbols.string + dumps.vmlinux)
            return (try ELFFile(FileByteSource(vmlinux)).identity(), try crash.root())
        }
        return RealKernel(
            dumps: dumps, buildID: try #require(identity.buildID).description,
            debugger: try #require(debugger, "Debian's package crash is missing: make deps installs it"))
    }

    func files(doubt: String? = nil) -> KernelFiles {
        KernelFiles(vmlinux: dumps.vmlinux, modules: dumps.modules, doubt: doubt)
    }

    func chroot(_ files: KernelFiles?) -> Chroot {
        Chroot(crashRoot: root.string, debugger: debugger, kernel: files)
    }

    /// What ingest says of a dump whose kernel is known by its build-id.
    func dump(_ format: VmcoreFormat = .kdump, buildID: String? = nil) throws -> KernelDump {
        try kernelDump(release: dumps.release, buildID: buildID ?? self.buildID, format: format)
    }

    /// What it says where only the version is known.
    func dumpWithoutBuildID(_ format: VmcoreFormat = .kdump, dumpLevel: Int? = nil) throws -> KernelDump {
        try kernelDump(release: dumps.release, format: format, dumpLevel: dumpLevel)
    }
}
