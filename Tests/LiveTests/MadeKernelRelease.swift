import CrashModel
import SystemPackage
import TestFixtures

/// A release of the test's own whose archive has the debug package of the made dumps' kernel as Debian made it, and the
/// crash utility of this host packed again.
actor MadeKernelRelease {
    nonisolated let directory: FilePath
    nonisolated let release: ReleaseID
    private let made: MadeRelease
    private var outcome: Result<MadeKernelDumps, any Error>?

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
    func prepare(_ stack: Stack) async throws -> MadeKernelDumps {
        if outcome == nil {
            do {
                let kernel = try await MadeKernelDumps.made()
                try await makeArchive(of: kernel)
                let end = try await stack.synchronised(release)
                guard end.kind == .succeeded else {
                    throw Stack.Failure(description: "the kernel was not mirrored: \(end.message) \(end.error as Any)")
                }
                outcome = .success(kernel)
            } catch {
                outcome = .failure(error)
            }
        }
        guard let outcome else { throw Stack.Failure(description: "the kernel was not prepared") }
        return try outcome.get()
    }

    private func makeArchive(of kernel: MadeKernelDumps) async throws {
        var archive = try DebianArchive(in: directory.appending("kernels/archive"), suite: "quince")
        try await MadeRelease.shell(Self.packing, in: directory)
        let trees = directory.appending("made/trees")
        try await archive.addTree(trees.appending("libc6"), name: "libc6", version: "2.36-1")
        try await archive.addTree(
            trees.appending("crash-libraries"), name: "crash-libraries", version: "8.0-1", depends: "libc6")
        try await archive.addTree(
            trees.appending("crash"), name: "crash", version: "8.0-1", depends: "libc6, crash-libraries")
        try await archive.add(kernel.debugPackage)
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
