import CrashModel
import Glibc
import Sandbox
import SystemPackage
import TestFixtures

/// Dumps of a real kernel, kept below `.build` from run to run, and a release of the test's own whose archive has that
/// kernel's debug package as Debian made it, and the crash utility of this host packed again.
actor MadeKernelRelease {
    nonisolated let directory: FilePath
    nonisolated let release: ReleaseID
    private let made: MadeRelease
    private var outcome: Result<Kernel?, any Error>?

    /// The kernel whose dumps there are.
    struct Kernel: Sendable {
        let folder: FilePath
        /// `6.1.0-56-cloud-amd64`.
        let release: String
        /// The debug package.
        let package: FilePath
        /// The endings of the dumps `vmcore.*`, which were made by sysrq-c: `zlib`, `elf`, `flat`.
        let formats: [String]

        func dump(_ format: String) -> FilePath { folder.appending("vmcore.\(format)") }
        /// Division by zero in the module tcp_bic; nil where there is none.
        func oops(_ format: String) -> FilePath? {
            let path = folder.appending("vmcore-oops.\(format)")
            return access(path.string, R_OK) == 0 ? path : nil
        }
    }

    /// Why there are no dumps here, for the person who reads what the tests print.
    struct Missing: Error {
        let reason: String
    }

    /// Writes the plugin, so that services may start; the packages are made by ``prepare(_:)``.
    init(beside made: MadeRelease) throws {
        self.made = made
        directory = made.directory
        release = try ReleaseID("kerneltest-1-x86_64")
        try FolderContents.write(
            Self.plugin(archive: directory.appending("kernels/archive")).utf8,
            to: directory.appending("plugins/kerneltest.yaml"))
    }

    /// Makes the dumps where they are not there yet, the archive, and its mirror; only once.
    ///
    /// - Returns: nil where this host cannot make dumps, which is printed.
    func prepare(_ stack: Stack) async throws -> Kernel? {
        if outcome == nil {
            do {
                let kernel = try await Self.kernel()
                try await makeArchive(of: kernel)
                let end = try await stack.synchronised(release)
                guard end.kind == .succeeded else {
                    throw Stack.Failure(description: "the kernel was not mirrored: \(end.message) \(end.error as Any)")
                }
                outcome = .success(kernel)
            } catch let missing as Missing {
                print("Kernel tests skipped: \(missing.reason)")
                outcome = .success(nil)
            } catch {
                outcome = .failure(error)
            }
        }
        return try outcome?.get()
    }

    private static func kernel() async throws -> Kernel {
        let needed = ["crash", "makedumpfile"].filter { (name: String) in
            ["/usr/bin/", "/usr/sbin/"].allSatisfy { access($0 + name, X_OK) != 0 }
        }
        guard needed.isEmpty else { throw Missing(reason: "\(needed.joined(separator: ", ")) are not installed.") }
        let folder = Stack.checkout.appending(".build/vmcores")
        // qemu's translations and its machine's memory want more room than a small tool has.
        let limits = SandboxLimits(memoryBytes: 1 << 40, cpuSeconds: 1800, wallTime: .seconds(900), fileBytes: 4 << 30)
        let making = try await runTool(
            [Stack.checkout.appending(".ci/make-vmcore").string, folder.string],
            environment: ["DEBUG": "yes", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"], limits: limits)
        guard making.succeeded else {
            let said = String(decoding: making.standardError.suffix(500), as: UTF8.self)
            return try await fixture(orElse: "make-vmcore made no dumps: \(said)", limits)
        }
        let lines = String(decoding: try FolderContents.read(folder.appending("complete")), as: UTF8.self)
            .split(separator: "\n").map(String.init)
        guard let release = lines.first?.split(separator: " ").first, let package = lines.first(where: isDebugPackage)
        else { throw Stack.Failure(description: "make-vmcore does not say what it made: \(lines)") }
        let formats = lines.filter { $0.hasPrefix("vmcore.") }.map { String($0.dropFirst("vmcore.".count)) }
        return Kernel(
            folder: folder, release: String(release), package: folder.appending(package),
            formats: formats.filter { !["raw", "dmesg"].contains($0) })
    }

    /// The one dump of the shared fixtures, where no machine can be made to crash.
    private static func fixture(orElse reason: String, _ limits: SandboxLimits) async throws -> Kernel {
        let release = "6.1.0-56-cloud-amd64"
        guard let shared = FixtureFolder.path?.appending("kernel/vmcore-6.1.0-56-cloud-sysrq.kdump.xz"),
            access(shared.string, R_OK) == 0
        else { throw Missing(reason: reason) }
        let folder = Stack.checkout.appending(".build/vmcore-fixture")
        try DebianArchive.makeDirectories(folder)
        let script = """
            [ -s vmcore.kdump ] || { xz -dc '\(shared)' > .kdump; mv .kdump vmcore.kdump; }
            ls linux-image-\(release)-dbg_*.deb 2> /dev/null || apt-get -qq -o APT::Sandbox::User=root download \
            linux-image-\(release)-dbg
            """
        let fetched = try await runTool(["sh", "-ec", script], workingDirectory: folder, limits: limits)
        guard fetched.succeeded, let package = FolderContents.names(in: folder).first(where: isDebugPackage) else {
            throw Missing(reason: "\(reason) The symbols of the fixture's kernel could not be fetched either.")
        }
        return Kernel(folder: folder, release: release, package: folder.appending(package), formats: ["kdump"])
    }

    private static func isDebugPackage(_ name: String) -> Bool { name.contains("-dbg_") && name.hasSuffix(".deb") }

    private func makeArchive(of kernel: Kernel) async throws {
        var archive = try DebianArchive(in: directory.appending("kernels/archive"), suite: "quince")
        try await MadeRelease.shell(Self.packing, in: directory)
        let trees = directory.appending("made/trees")
        try await archive.addTree(trees.appending("libc6"), name: "libc6", version: "2.36-1")
        try await archive.addTree(
            trees.appending("crash-libraries"), name: "crash-libraries", version: "8.0-1", depends: "libc6")
        try await archive.addTree(
            trees.appending("crash"), name: "crash", version: "8.0-1", depends: "libc6, crash-libraries")
        try await archive.add(kernel.package)
        try await archive.publish(signedBy: made.key)
    }

    /// Packs the crash utility from the files that this host has installed.
    private static let packing = """
        mkdir -p made/trees/crash/usr/bin made/trees/crash-libraries/usr/lib/x86_64-linux-gnu
        cp "$(readlink -f "$(command -v crash)")" made/trees/crash/usr/bin/crash
        ldd made/trees/crash/usr/bin/crash | sed -n 's,.*=> \\(/[^ ]*\\) .*,\\1,p' | while read -r path; do
            grep -qxF "${path#/}" made/libc6.list && continue
            cp "$(readlink -f "$path")" "made/trees/crash-libraries/usr/lib/x86_64-linux-gnu/$(basename "$path")"
        done
        """

    /// What the real plugin says of kernels holds here too.
    private static func plugin(archive: FilePath) -> String {
        """
        inherits: debian
        distribution: kerneltest
        display-name: Kernel Test Linux
        display-release: Kernel Test Linux
        versions: [{ version: '1', codename: quince }]
        architectures: [x86_64]
        recognise:
          release-text: ['^Kernel Test Linux ([0-9]+)']
          os-release: { id: [kerneltest], version: '^([0-9]+)' }
          package: ['[+]kerneltest([0-9]+)$']
          examples: {}
        keys: [test.asc]
        repositories:
          - name: main
            suite: $CODENAME
            components: [main]
            mirrors: ['file://\(archive)']
          - { name: updates, remove: true }
          - { name: security, remove: true }
          - { name: debug, remove: true }

        """
    }
}
