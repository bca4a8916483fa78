import Archives
import CrashModel
import Packages
import ResolveStage
import SystemPackage
import TestFixtures
import Testing

/// Real cores of Debian 12 against the packages that they ran. The data lies beside the checkout; where it is absent
/// these tests skip themselves.
@Suite(.enabled(if: FixtureFolder.path != nil))
struct FixtureResolutionTests {
    /// Build-id, path in the core, package of the file, package of its debuginfo: from `dpkg -x` and `eu-readelf -n`.
    private static let known: [(buildID: String, path: String, binary: String, debuginfo: String?)] = [
        ("c561f3aa7232f2bd6ac6d56bd475f1c154a00486", "/usr/bin/python3.11", "python3.11-minimal", "python3.11-dbg"),
        (
            "8eb4f68d6b8a04daf2a6476387effe69ec9f19c8",
            "/usr/lib/python3.11/lib-dynload/_ctypes.cpython-311-x86_64-linux-gnu.so", "libpython3.11-stdlib",
            "python3.11-dbg"
        ),
        ("cdf2bcca3869a214e4aed1324ec9ef925608e39f", "/lib/x86_64-linux-gnu/libexpat.so.1.8.10", "libexpat1", nil),
        ("4b5ef0d8f602b880c279f15ed3b07bf6686ea09b", "/usr/lib/x86_64-linux-gnu/libffi.so.8.1.2", "libffi8", nil),
        ("1f95d5498d283b79505861523e20b3db2afdf518", "/usr/lib/x86_64-linux-gnu/libz.so.1.2.13", "zlib1g", nil),
        ("7ebc65e52f2bbea498b4040fa92f7238377aaba9", "/lib64/ld-linux-x86-64.so.2", "libc6", "libc6-dbg"),
        ("93ac61ec5a8eb1396f9fbd350e3169a558528a40", "/lib/x86_64-linux-gnu/libc.so.6", "libc6", "libc6-dbg"),
        ("d6e6f9e3af1243eed9bf5efd366dd015a9f22c13", "/usr/lib/x86_64-linux-gnu/libm.so.6", "libc6", "libc6-dbg"),
        ("48fabb246b1b0ffa238af9b86ad9738b3602a693", "/lib/x86_64-linux-gnu/libresolv.so.2", "libc6", "libc6-dbg"),
        ("1061f95d5cf9242924aac24fb75ecdcab7eac0e6", "/usr/bin/lua5.4", "lua5.4", "liblua5.4-0-dbg"),
        ("1d6c928a5e4f222cf4479cbb1fd4f63965b10a03", "/lib/x86_64-linux-gnu/libtinfo.so.6.4", "libtinfo6", nil),
        ("b7c3908f0ca91d78594aa27cbed0455010b8179c", "/lib/x86_64-linux-gnu/libreadline.so.8.2", "libreadline8", nil),
        ("685922fd01662071e0e90a0b952e684e99182935", "/usr/sbin/vsftpd", "vsftpd", "vsftpd-dbg"),
        ("26250e05d7aae2ce8eba126db97d32da10f8c8f8", "/usr/sbin/flowgrindd", "flowgrind", "flowgrind-dbg"),
    ]
    private static let vdso = "e95baaeaec8534edc5df3654182ddf12b19d9b23"

    /// Puts every package of the fixtures into an index.
    private func index(_ folder: FilePath, in directory: FilePath) throws -> MadeRelease {
        let made = try MadeRelease(in: directory)
        let builder = try PackageIndexBuilder(for: made.mirror)
        for name in try names(of: folder.appending("debs")) where name.hasSuffix(".deb") {
            let file = folder.appending("debs").appending(name)
            let digest = try packageDigest(of: file)
            let package = try IndexedPackage(
                debianControl: try debianControl(of: file), sha256: digest.sha256, location: "pool/\(name)",
                byteCount: digest.byteCount)
            try builder.add(package, files: try scanPackage(file).paths)
        }
        _ = try builder.publish()
        return made
    }

    private func crash(ofBuildIDs buildIDs: [String]) throws -> Crash {
        let modules = try buildIDs.enumerated().map { number, text in
            LoadedModule(
                path: text == Self.vdso
                    ? "linux-vdso.so.1" : Self.known.first { $0.buildID == text }?.path ?? "/opt/\(text)",
                buildID: try BuildID(text), start: UInt64(number) << 20, end: UInt64(number + 1) << 20,
                kind: text == Self.vdso ? .virtual : number == 0 ? .executable : .library)
        }
        return ResolveStageTests.crash(modules)
    }

    @Test func everyModuleOfTheRealCoresIsResolvedAsElfutilsAndDpkgSay() throws {
        let folder = try #require(FixtureFolder.path)
        try ScratchDirectory.with { directory in
            let made = try index(folder, in: directory)
            for name in [
                "python3.11-ctypes", "python3.11-4threads-gcore", "lua5.4-bytecode", "vsftpd-accept",
                "flowgrindd-2threads", "sleep-nodbg",
            ] {
                let buildIDs = try expectedBuildIDs(folder.appending("expected/\(name).bt.txt"))
                #expect(buildIDs.count > 3)
                let resolution = try resolve(
                    crash(ofBuildIDs: buildIDs), catalog: shippedCatalog(), indexes: made.indexes)
                for module in resolution.modules {
                    let text = module.module.buildID?.description
                    if text == Self.vdso {
                        #expect(module.status == .virtual)
                    } else if let expected = Self.known.first(where: { $0.buildID == text }) {
                        #expect(module.binary?.nevra.name == expected.binary)
                        #expect(module.debuginfo?.nevra.name == expected.debuginfo)
                        #expect(module.status == (expected.debuginfo == nil ? .withoutDebuginfo : .complete))
                    } else {
                        #expect(module.status == .unknown)
                    }
                    #expect((module.reason == nil) == (module.status == .complete))
                }
            }
        }
    }

    @Test func thePythonCrashBringsTheScriptForPyBtAndLuaItsSharedDWARF() throws {
        let folder = try #require(FixtureFolder.path)
        try ScratchDirectory.with { directory in
            let made = try index(folder, in: directory)
            func files(_ core: String, _ package: String) throws -> [String]? {
                let buildIDs = try expectedBuildIDs(folder.appending("expected/\(core).bt.txt"))
                let resolution = try resolve(
                    crash(ofBuildIDs: buildIDs), catalog: shippedCatalog(), indexes: made.indexes)
                return resolution.packages.first { $0.nevra.name == package }?.files
            }
            let python = try #require(try files("python3.11-ctypes", "python3.11-dbg"))
            #expect(python.contains("/usr/share/gdb/auto-load/usr/bin/python3.11-gdb.py"))
            #expect(python.contains("/usr/lib/debug/.build-id/c5/61f3aa7232f2bd6ac6d56bd475f1c154a00486.debug"))
            #expect(!python.contains("/usr/bin/python3.11d"))
            let lua = try #require(try files("lua5.4-bytecode", "liblua5.4-0-dbg"))
            #expect(lua.contains("/usr/lib/debug/.dwz/x86_64-linux-gnu/lua5.4.debug"))
        }
    }

    /// The build-ids in the output of `eu-unstrip -n --core` at the top of the file.
    private func expectedBuildIDs(_ path: FilePath) throws -> [String] {
        try contents(of: path).split(separator: "\n").filter { $0.hasPrefix("0x") }.compactMap { line in
            let words = line.split(separator: " ")
            guard words.count > 1, words[0].contains("+"), let text = words[1].split(separator: "@").first else {
                return nil
            }
            return (try? BuildID(text)) == nil ? nil : String(text)
        }
    }
}
