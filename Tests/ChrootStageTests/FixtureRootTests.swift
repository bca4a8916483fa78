import ChrootStage
import CrashModel
import Packages
import SystemPackage
import TestFixtures
import Testing

/// Uses the folder of real packages beside the checkout, and skips itself where that is absent.
@Suite(.enabled(if: FixtureFolder.path != nil, "needs the folder of fixtures")) struct FixtureRootTests {
    @Test func pythonCrashGetsItsPackagesAndIsWarmTheSecondTime() async throws {
        let debs = try #require(FixtureFolder.path).appending("debs")
        try await DebianRelease.with { release in
            var packages: [ResolvedPackage] = []
            for (name, version, escaped) in Self.packages {
                let file = debs.appending("\(name)_\(escaped)_amd64.deb")
                let location = "pool/\(name).deb"
                try FileDescriptor.copy(file, to: release.mirror.path.pushing(FilePath(location)))
                packages.append(
                    ResolvedPackage(
                        nevra: try NEVRA(name: name, debianVersion: version, architecture: "amd64"),
                        sha256: try packageDigest(of: file).sha256, location: location,
                        role: name.hasSuffix("-dbg") ? .debuginfo : .binary,
                        files: Self.debugFiles[name].map { [$0] }))
            }
            let resolution = release.resolution(packages)
            _ = try await release.builder.build(resolution, task: release.task)
            // Warm: the store has every package, so the package files are not needed.
            for package in packages { try release.removePackageFile(of: package) }
            let chroot = try await release.builder.build(resolution, task: try TaskID("987654321"))
            let root = FilePath(chroot.crashRoot)
            #expect(exists(root.appending("usr/bin/python3.11")))
            #expect(exists(root.appending("usr/lib/x86_64-linux-gnu/libc.so.6")))
            for file in Self.debugFiles.values { #expect(exists(root.appending(String(file.dropFirst())))) }
            #expect(chroot.remarks == [])
            #expect(exists(root.appending("usr/share/gdb/auto-load/usr/bin/python3.11-gdb.py")))
        }
    }

    @Test func dwzFileOfAnRpmComesWithTheDebugFile() async throws {
        let rpms = try #require(FixtureFolder.path).pushing("elfutils/rpms/rhel7")
        let named = "/usr/lib/debug/.build-id/bc/1febfd03ca05e030f0d205f7659db29f8a4b30.debug"
        try await DebianRelease.with { release in
            var packages: [ResolvedPackage] = []
            let wanted = [("hello2-two", nil), ("hello2-debuginfo", [named])]
            for (name, files) in wanted {
                let location = "pool/\(name).rpm"
                let file = rpms.appending("\(name)-1.0-2.x86_64.rpm")
                try FileDescriptor.copy(file, to: release.mirror.path.pushing(FilePath(location)))
                packages.append(
                    ResolvedPackage(
                        nevra: try NEVRA(name: name, version: "1.0", release: "2", architecture: "x86_64"),
                        sha256: try packageDigest(of: file).sha256, location: location,
                        role: files == nil ? .binary : .debuginfo, files: files))
            }
            let chroot = try await release.builder.build(release.resolution(packages), task: release.task)
            let root = FilePath(chroot.crashRoot)
            #expect(chroot.remarks == [])
            for path in [
                "usr/local/bin/hello2", "usr/lib/debug/.dwz/hello2-1.0-2.x86_64",
                "usr/lib/debug/usr/local/bin/hello2.debug", String(named.dropFirst()),
            ] {
                #expect(contents(root.pushing(FilePath(path))) != nil, "\(path) cannot be read")
            }
            #expect(!exists(root.pushing("usr/lib/debug/usr/local/bin/hello.debug")))
        }
    }

    /// The debug files of that python3.11 and that libc.so.6, by build-id.
    private static let debugFiles = [
        "python3.11-dbg": "/usr/lib/debug/.build-id/c5/61f3aa7232f2bd6ac6d56bd475f1c154a00486.debug",
        "libc6-dbg": "/usr/lib/debug/.build-id/93/ac61ec5a8eb1396f9fbd350e3169a558528a40.debug",
    ]

    private static let packages = [
        ("python3.11", "3.11.2-6+deb12u9", "3.11.2-6+deb12u9"),
        ("python3.11-minimal", "3.11.2-6+deb12u9", "3.11.2-6+deb12u9"),
        ("libpython3.11-minimal", "3.11.2-6+deb12u9", "3.11.2-6+deb12u9"),
        ("libpython3.11-stdlib", "3.11.2-6+deb12u9", "3.11.2-6+deb12u9"),
        ("libc6", "2.36-9+deb12u14", "2.36-9+deb12u14"), ("libexpat1", "2.5.0-1+deb12u5", "2.5.0-1+deb12u5"),
        ("libffi8", "3.4.4-1", "3.4.4-1"), ("zlib1g", "1:1.2.13.dfsg-1", "1%3a1.2.13.dfsg-1"),
        ("python3.11-dbg", "3.11.2-6+deb12u9", "3.11.2-6+deb12u9"),
        ("libc6-dbg", "2.36-9+deb12u14", "2.36-9+deb12u14"),
    ]
}

extension FileDescriptor {
    fileprivate static func copy(_ source: FilePath, to target: FilePath) throws {
        let input = try open(source, .readOnly)
        try input.closeAfter {
            let output = try open(
                target, .writeOnly, options: [.create], permissions: [.ownerReadWrite, .groupRead, .otherRead])
            try output.closeAfter {
                var buffer = [UInt8](repeating: 0, count: 1 << 20)
                while true {
                    let count = try buffer.withUnsafeMutableBytes { try input.read(into: $0) }
                    if count == 0 { break }
                    _ = try output.writeAll(buffer[..<count])
                }
            }
        }
    }
}
