import ChrootStage
import CrashModel
import Glibc
import Packages
import Sandbox
import SystemPackage
import TestFixtures
import Testing

/// Debian's own crash, out of packages and from the host, started in a sandbox with nothing else of the host.
@Suite(.enabled(if: access("/usr/bin/crash", X_OK) == 0, "needs Debian's package crash")) struct RealCrashTests {
    private func version(of debugger: DebuggerRoot, in chroot: Chroot) async throws -> String {
        let libraries = debugger.libraryPath.map { "/.retrace" + $0 }.joined(separator: ":")
        let result = try await runSandboxed(
            SandboxedCommand(
                root: FilePath(chroot.crashRoot), binds: [SandboxBind(FilePath(debugger.directory), at: "/.retrace")],
                environment: ["TERM": "dumb", "HOME": "/tmp"],
                arguments: [
                    "/.retrace" + debugger.loader, "--library-path", libraries, "/.retrace" + debugger.executable,
                    "--version",
                ]), limits: SandboxLimits(wallTime: .seconds(60)))
        #expect(result.termination == .exited(0), "\(String(decoding: result.standardError, as: UTF8.self))")
        return String(decoding: result.standardOutput, as: UTF8.self)
    }

    @Test func hostsCrashStartsFromItsCopies() async throws {
        try await DebianRelease.with { release in
            try makeDirectories(release.directory)
            let builder = ChrootBuilder(
                repositories: release.directory.appending("repositories"), store: release.store,
                catalog: release.catalog)
            let chroot = try await builder.build(
                MadeKernelCrash.crash(modules: nil, buildID: nil), release.resolution([]), task: release.task)
            let debugger = try #require(chroot.debugger)
            #expect(debugger.package.name == "crash" && debugger.package.version != "of-the-host")
            #expect(try await version(of: debugger, in: chroot).contains("crash \(debugger.package.version)"))
            #expect(FilePath(debugger.directory).lastComponent?.string.hasPrefix("host-") == true)
        }
    }

    /// The packages are made of what is installed, with the dependencies that dpkg has on record.
    @Test func crashStartsFromItsPackagesAndTheirClosure() async throws {
        try await DebianRelease.with(debugger: false) { release in
            let mirror = release.mirror
            let made = try await runTool([
                "bash", "-c", Self.packing, "packing", mirror.path.string, mirror.debianStanzas.string,
            ])
            guard made.termination == .exited(0) else {
                throw BuildFailure(output: String(decoding: made.standardError, as: UTF8.self))
            }
            let chroot = try await release.builder.build(
                MadeKernelCrash.crash(modules: nil, buildID: nil), release.resolution([]), task: release.task)
            let debugger = try #require(chroot.debugger)
            #expect(FilePath(debugger.directory).lastComponent?.string.contains(".kernel-") == true)
            #expect(try await version(of: debugger, in: chroot).contains("crash \(debugger.package.version)"))
        }
    }

    /// `$1`: the mirror; `$2`: the file of stanzas.
    private static let packing = #"""
        set -euo pipefail
        cd "$1"
        closure=$(apt-cache depends --recurse --installed --no-recommends --no-suggests --no-conflicts --no-breaks \
            --no-replaces --no-enhances crash | grep '^[a-z0-9]' | sort -u)
        for name in $closure; do
            tree=$1/trees/$name
            mkdir -p "$tree/DEBIAN"
            for field in Package Version Architecture Depends Pre-Depends Provides Maintainer; do
                dpkg-query --show --showformat "$field: \${$field}\n" "${name%:*}" | grep -v ': $' || true
            done > "$tree/DEBIAN/control"
            echo 'Description: made of installed files' >> "$tree/DEBIAN/control"
            dpkg -L "${name%:*}" | grep -Ev '^/usr/share/|/gconv/|^/etc' | while read -r path; do
                if [[ ! -d $path ]]; then echo ".$path"; fi
            done | tar --create --directory / --no-recursion --files-from - | tar --extract --directory "$tree"
            file=pool/${name%:*}.deb
            dpkg-deb --root-owner-group -Znone --build "$tree" "$file" > /dev/null
            { cat "$tree/DEBIAN/control"; echo "Filename: $file"
              echo "SHA256: $(sha256sum "$file" | cut -c1-64)"; echo; } >> "$2"
            rm -r "$tree"
        done
        """#
}
