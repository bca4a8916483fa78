import CrashModel

/// One message of each kind, with every optional field set somewhere.
enum Samples {
    static func task() throws -> TaskID { try TaskID("123456789") }

    static func crash() throws -> Crash {
        let note = PackageNote(
            type: "deb", name: "python3.11", version: "3.11.2-6+deb12u6", architecture: "amd64",
            osCPE: "cpe:/o:debian:debian:12")
        return try Crash(
            kind: .coredump, architecture: .x86_64,
            reported: ReportedCrash(
                executable: "/usr/bin/python3.11", package: "python3.11-3.11.2-6",
                osRelease: "Debian GNU/Linux 12 (bookworm)",
                release: "Debian release 12", rootDirectory: "/var/lib/container",
                osReleaseInRootDirectory: "Debian GNU/Linux 12 (bookworm)"),
            executable: "/usr/bin/python3.11", commandLine: "/usr/bin/python3.11 -c …", signal: CrashSignal(number: 11),
            processID: 4711, threadCount: 1,
            modules: [
                LoadedModule(
                    path: "/usr/bin/python3.11", buildID: BuildID("c561f3aa7232f2bd6ac6d56bd475f1c154a00486"),
                    start: 0x400000,
                    end: 0xac4000, kind: .executable, packageNote: note),
                LoadedModule(
                    path: "linux-vdso.so.1", buildID: nil, start: 0x7ffe_1000, end: 0x7ffe_3000, kind: .virtual),
            ],
            truncation: CoreTruncation(expectedBytes: 9_000_000, actualBytes: 8_000_000), remarks: ["The core is cut."])
    }

    static func resolution() throws -> Resolution {
        let crash = try crash()
        let binary = try NEVRA(name: "python3.11-minimal", debianVersion: "3.11.2-6+deb12u6", architecture: "amd64")
        let debug = try NEVRA(name: "python3.11-dbg", debianVersion: "3.11.2-6+deb12u6", architecture: "amd64")
        let debugFile = "/usr/lib/debug/.build-id/c5/61f3aa7232f2bd6ac6d56bd475f1c154a00486.debug"
        return try Resolution(
            releaseID: ReleaseID("debian-12-x86_64"), releaseEvidence: "os_release names it",
            modules: [
                ResolvedModule(
                    module: crash.modules[0], status: .complete,
                    binary: PackagedFile(nevra: binary, path: "/usr/bin/python3.11"),
                    debuginfo: PackagedFile(nevra: debug, path: debugFile)),
                ResolvedModule(module: crash.modules[1], status: .virtual, reason: "It is the kernel's own."),
            ],
            packages: [
                ResolvedPackage(
                    nevra: binary, sha256: String(repeating: "a", count: 64), location: "pool/main/p/python3.11/a.deb",
                    role: .binary, files: nil),
                ResolvedPackage(
                    nevra: debug, sha256: String(repeating: "b", count: 64), location: "pool/main/p/python3.11/b.deb",
                    role: .debuginfo, files: [debugFile], releaseID: ReleaseID("debian-13-x86_64")),
            ],
            remarks: ["The mirror is 3 days old."])
    }

    static func chroot() throws -> Chroot {
        try Chroot(
            crashRoot: "/var/lib/retrace/store/roots/123456789",
            debugger: DebuggerRoot(
                directory: "/var/lib/retrace/store/debuggers/debian-12-x86_64-0123", executable: "/usr/bin/gdb",
                loader: "/usr/lib64/ld-linux-x86-64.so.2", libraryPath: ["/usr/lib/x86_64-linux-gnu", "/usr/lib"],
                dataDirectory: "/usr/share/gdb", pythonHome: "/usr",
                package: NEVRA(name: "gdb", debianVersion: "13.1-3", architecture: "amd64")),
            remarks: ["libfoo.so.1 could not be unpacked."])
    }

    static func kernelCrash() throws -> Crash {
        let buildID = try BuildID("d2d77b8ae5a6c3b3bd1b7e4f3b0ca5f4f0d5e0a1")
        return try Crash(
            kind: .vmcore, architecture: .x86_64, reported: ReportedCrash(),
            executable: "/boot/vmlinuz-6.1.0-56-cloud-amd64", threadCount: 0,
            modules: [
                LoadedModule(
                    path: "/boot/vmlinuz-6.1.0-56-cloud-amd64", buildID: buildID, start: 0, end: 0,
                    kind: .executable)
            ],
            kernel: KernelDump(
                format: .kdump, release: KernelRelease("6.1.0-56-cloud-amd64"),
                releaseEvidence: "OSRELEASE of the dump's VMCOREINFO.", buildID: buildID, pageBytes: 4096,
                kaslrOffset: 0x1c00_0000, dumpLevel: 31, incompleteness: "The file ends in the middle of a page.",
                file: "vmcore.vmss", memoryFile: "vmcore.vmem", modules: ["dummy", "virtio_blk"],
                panic: "Kernel panic - not syncing: sysrq triggered crash"))
    }

    static func kernelChroot() throws -> Chroot {
        let chroot = try chroot()
        return Chroot(
            crashRoot: chroot.crashRoot, debugger: chroot.debugger,
            kernel: KernelFiles(
                vmlinux: "/usr/lib/debug/boot/vmlinux-6.1.0-56-cloud-amd64",
                modules: "/usr/lib/debug/lib/modules/6.1.0-56-cloud-amd64", doubt: "The dump has no build-id."))
    }

    static func event() throws -> TaskEvent {
        try TaskEvent(
            task: task(), releaseID: ReleaseID("debian-12-x86_64"), stage: .build, kind: .retrying,
            microseconds: 1_700_000_000_000_000, message: "The disk is full; trying again.", fraction: 0.5,
            error: StageError(
                .build, .diskFull, "The disk is full.", advice: "Free some space.",
                disposition: .retry(after: .seconds(30)),
                exitStatus: 2, toolOutput: "No space left on device"),
            attempt: 2, facts: ["package": "python3.11-minimal"])
    }
}
