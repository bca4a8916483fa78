import CrashModel
import Distributions
import Packages
import ReposyncStage
import SystemPackage
import TestFixtures

/// An archive of `demo` 1.0 with its library and debug symbols, a key that signs it, and a place to mirror it to.
struct TestMirror {
    let folder: FilePath
    let key: SigningKey
    var archive: DebianArchive
    let releaseID: ReleaseID

    static let programID = "aa11223344556677889900aabbccddeeff001122"
    static let libraryID = "bb11223344556677889900aabbccddeeff001122"

    /// Runs a test with a published archive, and removes everything afterwards.
    static func with(_ body: (inout TestMirror) async throws -> Void) async throws {
        try await ScratchDirectory.with { folder in
            let key = try await SigningKey()
            do {
                var mirror = try await TestMirror(folder: folder, key: key)
                try await body(&mirror)
            } catch {
                try await key.remove()
                throw error
            }
            try await key.remove()
        }
    }

    private init(folder: FilePath, key: SigningKey) async throws {
        self.folder = folder
        self.key = key
        releaseID = try ReleaseID("debian-12-x86_64")
        archive = try DebianArchive(in: folder.appending("archive"))
        try await addDemo(version: "1.0-1")
        var gdb = MadeDebianPackage("gdb", version: "13.1-3", fields: ["Depends: libdemo"])
        gdb.add("/usr/bin/gdb", Array("#!/bin/sh\n".utf8), executable: true)
        try await archive.add(gdb)
        try await archive.add(MadeDebianPackage("unrelated", version: "1"))
        try await archive.publish(signedBy: key)
        for name in ["keys", "plugins"] { try DebianArchive.makeDirectories(folder.appending(name)) }
        try write(key.publicKey, to: "keys/test.asc")
    }

    mutating func addDemo(version: String) async throws {
        var program = MadeDebianPackage("demo", version: version, fields: ["Depends: libdemo (= \(version))"])
        program.addELF("/usr/bin/demo", try BuildID(Self.programID))
        try await archive.add(program)
        var library = MadeDebianPackage("libdemo", version: version)
        library.addELF("/lib/x86_64-linux-gnu/libdemo.so.1", try BuildID(Self.libraryID))
        try await archive.add(library)
        var symbols = MadeDebianPackage(
            "libdemo-dbg", version: version, fields: ["Section: debug", "Depends: libdemo (= \(version))"])
        symbols.addELF("/usr/lib/debug/.build-id/bb/\(Self.libraryID.dropFirst(2)).debug", try BuildID(Self.libraryID))
        try await archive.add(symbols, fields: ["Build-Ids: \(Self.libraryID)"])
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        _ = try FolderContents.write(bytes, to: folder.appending(name))
    }

    /// Where the mirror goes.
    var repositories: FilePath { folder.appending("mirror") }
    var directory: MirrorDirectory { MirrorDirectory(releaseID, in: repositories) }

    func synchronise(
        _ packages: [String] = ["demo"], from mirrors: [String]? = nil, apt: AptSources = AptSources(entries: []),
        plugin more: String = "", progress: @escaping @Sendable (TaskEvent) async -> Void = { _ in }
    ) async throws -> SyncReport {
        let text = DebianArchive.plugin(mirrors: mirrors ?? [archive.folder.string]) + more
        try write(Array(text.utf8), to: "plugins/debian.yaml")
        let catalog = try DistributionCatalog(plugins: folder.appending("plugins"), keys: folder.appending("keys"))
        var limits = SyncLimits()
        limits.connectSeconds = 2
        return try await ReposyncStage.synchronise(
            SyncRequest(releaseID: releaseID, packages: packages), catalog: catalog, repositories: repositories,
            apt: apt, limits: limits, progress: progress)
    }

    /// The typed error of a synchronisation that must fail.
    func failure(_ packages: [String] = ["demo"], from mirrors: [String]? = nil) async throws -> StageError? {
        do throws(StageError) {
            _ = try await typedSynchronise(packages, mirrors)
            return nil
        } catch {
            return error
        }
    }

    private func typedSynchronise(_ packages: [String], _ mirrors: [String]?) async throws(StageError) -> SyncReport {
        do { return try await synchronise(packages, from: mirrors) } catch let error as StageError { throw error } catch
        {
            throw StageError(.reposync, .internalError, "\(error)")
        }
    }

    /// The archive's file of that path below `dists/bookworm`.
    func list(_ name: String) -> FilePath { archive.folder.appending("dists/bookworm").appending(name) }
}

/// A line of the plugin that names the package with the debugger for kernels.
func kernelDebugger(_ package: String) -> String {
    "kernel-debugger: { package: \(package), executable: /usr/bin/crash }\n"
}
