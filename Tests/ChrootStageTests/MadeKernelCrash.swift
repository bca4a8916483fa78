import ChrootStage
import CrashModel
import Packages
import SystemPackage
import TestFixtures

/// A kernel's dump, and the package with its symbols, as tests make them.
enum MadeKernelCrash {
    static let release = "6.1.0-56-cloud-amd64"
    static let vmlinux = "/usr/lib/debug/boot/vmlinux-\(release)"
    static let modules = "/usr/lib/debug/lib/modules/\(release)/"

    static func buildID() throws -> BuildID { try BuildID("64a81c3c6b3e2fd1cd7b0bd1e0a5b0a4a0e1c2d3") }

    /// A package as Debian's `linux-image-…-dbg`.
    static func package() throws -> TestPackage {
        var kernel = ELFBuilder(type: 2)
        kernel.notes = [ELFBuilder.Note("GNU", 3, try buildID().bytes)]
        var content: [String: TestPackage.Content] = [
            String(vmlinux.dropFirst()): .file(kernel.build()),
            "usr/lib/debug/vmlinux": .link("boot/vmlinux-\(release)"),
        ]
        for name in ["net/virtio_net", "fs/ext4", "sound/snd-hda-intel"] {
            content[String(modules.dropFirst()) + "kernel/\(name).ko"] = .text(name)
        }
        return TestPackage("linux-image-\(release)-dbg", "6.1.192-2", content)
    }

    static func crash(modules: [String]?, buildID: BuildID?, kind: DumpKind = .vmcore) throws -> Crash {
        let dump = KernelDump(
            format: .kdump, release: try KernelRelease(release), releaseEvidence: "VMCOREINFO says so",
            buildID: buildID, modules: modules)
        return Crash(
            kind: kind, architecture: .x86_64, reported: ReportedCrash(), executable: "/boot/vmlinuz-\(release)",
            threadCount: 1, modules: [module(buildID)], kernel: kind == .vmcore ? dump : nil)
    }

    static func module(_ buildID: BuildID?) -> LoadedModule {
        LoadedModule(path: "/boot/vmlinuz-\(release)", buildID: buildID, start: 0, end: 1, kind: .executable)
    }
}

extension DebianRelease {
    /// Adds the symbols of the kernel to the mirror, and resolves a dump to them.
    func kernelResolution(
        status: ModuleStatus = .complete, vmlinux: String = MadeKernelCrash.vmlinux
    ) async throws -> (resolution: Resolution, package: ResolvedPackage) {
        let package = try await add(
            MadeKernelCrash.package(), files: [vmlinux, MadeKernelCrash.modules])
        let module = ResolvedModule(
            module: MadeKernelCrash.module(try MadeKernelCrash.buildID()), status: status,
            debuginfo: PackagedFile(nevra: package.nevra, path: vmlinux),
            reason: status == .complete ? nil : "It was found by its version.")
        return (resolution([package], modules: [module]), package)
    }

    /// A debugger for kernels in the mirror, beside the gdb.
    func addCrash() async throws {
        var program = ELFBuilder(type: 3)
        program.segments = [ELFBuilder.Segment(type: 3, at: 0, content: Array("/lib64/ld.so.2\0".utf8))]
        try await add(TestPackage("crash", "8.0.2-1", depends: "libc6", ["usr/bin/crash": .file(program.build())]))
    }

    /// A debugger for kernels that is installed on the host.
    func installCrash(dpkg: Bool = true, machine: UInt16 = 62, executable: String = "/usr/bin/crash") throws {
        var program = ELFBuilder(machine: machine, type: 3)
        program.segments = [ELFBuilder.Segment(type: 3, at: 0, content: Array("/lib64/ld.so.2\0".utf8))]
        try write(program.build(), to: host.appending(String(executable.dropFirst())))
        try write(ELFBuilder(machine: machine, type: 3).build(), to: host.appending("lib64/ld.so.2"))
        guard dpkg else { return }
        let status = """
            Package: crash-dbg
            Status: install ok installed
            Architecture: amd64
            Version: 1

            Package: crash
            Status: install ok installed
            Architecture: amd64
            Version: 8.0.2-1
            Description: a debugger
             Version: 9

            """
        try write(Array(status.utf8), to: host.appending("var/lib/dpkg/status"))
        try write(Array("/.\n\(executable)\n".utf8), to: host.appending("var/lib/dpkg/info/crash.list"))
    }
}
