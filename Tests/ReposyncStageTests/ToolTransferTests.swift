import CrashModel
import Glibc
import Packages
import Subprocess
import SystemPackage
import TestFixtures
import Testing

@testable import ReposyncStage

/// Mirrors over rsync and FTP: real servers, on this machine's loopback and ports of their own.
@Suite struct ToolTransfers {
    /// Runs a server in the foreground while `body` works.
    private func serve<Value: Sendable>(
        _ command: [String], port: UInt16, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                _ = try await Subprocess.run(
                    .path(FilePath(command[0])), arguments: Arguments(Array(command.dropFirst())), output: .discarded,
                    error: .discarded)
                return nil
            }
            group.addTask {
                try await answers(port)
                return try await body()
            }
            defer { group.cancelAll() }
            while let value = try await group.next() { if let value { return value } }
            throw Errno.connectionRefused
        }
    }

    /// Asks again until the port is served; the test's own limit of time would tell of one that never is.
    private func answers(_ port: UInt16) async throws {
        while !connects(to: port) {
            try Task.checkCancellation()
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func rsync<Value: Sendable>(
        _ folder: FilePath, _ body: @escaping @Sendable (String) async throws -> Value
    ) async throws -> Value {
        let port = try freePort()
        try await tool(["chmod", "-R", "a+rX", folder.string])
        let configuration = try FolderContents.write(
            "use chroot = no\nreverse lookup = no\n[mirror]\npath = \(folder)\nread only = yes\nuid = 0\ngid = 0\n"
                .utf8,
            to: folder.removingLastComponent().appending("rsyncd.conf"))
        return try await serve(
            [
                "/usr/bin/rsync", "--daemon", "--no-detach", "--address=127.0.0.1", "--port=\(port)",
                "--config=\(configuration)",
            ], port: port
        ) { try await body("rsync://127.0.0.1:\(port)/mirror") }
    }

    private func ftp<Value: Sendable>(
        _ folder: FilePath, _ body: @escaping @Sendable (String) async throws -> Value
    ) async throws -> Value {
        let port = try freePort()
        return try await serve(
            ["/usr/bin/python3", "-m", "pyftpdlib", "-i", "127.0.0.1", "-p", "\(port)", "-d", folder.string], port: port
        ) { try await body("ftp://127.0.0.1:\(port)") }
    }

    private func tool(_ command: [String]) async throws {
        let result = try await Subprocess.run(
            .name(command[0]), arguments: Arguments(Array(command.dropFirst())), output: .discarded,
            error: .string(limit: 65536))
        try #require(result.terminationStatus.isSuccess, "\(result.standardError)")
    }

    @Test(.timeLimit(.minutes(5)), arguments: ["rsync", "ftp"])
    func archiveIsMirrored(over scheme: String) async throws {
        try await TestMirror.with { mirror in
            let made = mirror
            let check: @Sendable (String) async throws -> Void = { address in
                let report = try await made.synchronise(from: [address])
                #expect(report.downloadedCount == 4)
            }
            if scheme == "rsync" {
                try await rsync(made.archive.folder, check)
            } else {
                try await ftp(made.archive.folder, check)
            }
        }
    }

    @Test(.timeLimit(.minutes(5)), arguments: ["rsync", "ftp"])
    func alteredMissingAndLongerFilesAreRefused(over scheme: String) async throws {
        try await TestMirror.with { mirror in
            let place = mirror.archive.folder.appending("pool/main/l/libdemo/libdemo_1.0-1_amd64.deb")
            let good = try FolderContents.read(place)
            var altered = good
            altered[altered.count / 2] ^= 1
            let made = mirror
            let versions: [[UInt8]?] = [altered, good + [0], nil]
            let check: @Sendable (String) async throws -> Void = { address in
                for content in versions {
                    if let content {
                        try FolderContents.write(content, to: place)
                        chmod(place.string, 0o644)
                    } else {
                        try FolderContents.remove(place)
                    }
                    let error = try #require(try await made.failure(from: [address]))
                    #expect([.alteredFile, .mirrorsUnreachable].contains(error.code), "\(error)")
                    #expect(error.reason.contains("libdemo_1.0-1_amd64.deb"), "\(error)")
                    #expect(try PackageIndex(made.directory)?.packages(named: "libdemo") == [])
                }
                try FolderContents.write(good, to: place)
                chmod(place.string, 0o644)
                #expect(try await made.synchronise(from: [address]).index.packageCount == 4)
            }
            if scheme == "rsync" {
                try await rsync(made.archive.folder, check)
            } else {
                try await ftp(made.archive.folder, check)
            }
        }
    }

    @Test(.timeLimit(.minutes(5)), arguments: ["rsync", "ftp"])
    func repositoryOfRPMsIsMirrored(over scheme: String) async throws {
        try await ScratchDirectory.with { folder in
            let suite = RPMDirectory()
            try await suite.prepare(["top", "bottom"], in: folder)
            try await tool(["chmod", "-R", "a+rX", folder.appending("repo").string])
            let check: @Sendable (String) async throws -> Void = { address in
                let report = try await suite.sync(folder, [], at: address)
                #expect(report.downloadedCount == 2 && report.index.packageCount == 2, "\(report)")
            }
            if scheme == "rsync" {
                try await rsync(folder.appending("repo"), check)
            } else {
                try await ftp(folder.appending("repo"), check)
            }
        }
    }

    /// What lies there is the beginning of the file, or of another one: that shows what came over the wire.
    @Test(.timeLimit(.minutes(5)))
    func ftpDownloadGoesOnWhereItStopped() async throws {
        try await ScratchDirectory.with { folder in
            try DebianArchive.makeDirectories(folder.appending("served"))
            let content = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
            try FolderContents.write(content, to: folder.appending("served/file"))
            try await ftp(folder.appending("served")) { address in
                let mirror = try #require(ToolMirror(address))
                let place = folder.appending("file")
                for beginning in [Array(content.prefix(40_000)), [UInt8](repeating: 0, count: 40_000)] {
                    try FolderContents.write(beginning, to: place)
                    try await Downloader.with(SyncLimits()) { downloader in
                        try await downloader.bring("file", at: mirror, to: place, limit: 100_000)
                    }
                    #expect(try FolderContents.read(place) == beginning + content.dropFirst(40_000))
                }
            }
        }
    }

    @Test func deadServersAreSaidSoAndTheNextMirrorIsAsked() async throws {
        try await TestMirror.with { mirror in
            let dead = ["rsync://127.0.0.1:1/mirror", "ftp://127.0.0.1:1"]
            let error = try #require(try await mirror.failure(from: dead))
            #expect(error.code == .mirrorsUnreachable)
            #expect(error.reason.contains("rsync did not bring") && error.reason.contains("curl did not bring"))
            #expect(try await mirror.synchronise(from: dead + [mirror.archive.folder.string]).downloadedCount == 4)
        }
    }

    @Test func bytesOfARateAreDueOneAfterTheOther() {
        var pace = Pace()
        let start = ContinuousClock.now
        #expect(pace.due(after: 500, at: 1000, now: start) == start + .milliseconds(500))
        #expect(pace.due(after: 1000, at: 1000, now: start) == start + .milliseconds(1500))
        // After a pause the rate begins anew; the pause is not made up for.
        let later = start + .seconds(10)
        #expect(pace.due(after: 1000, at: 1000, now: later) == later + .seconds(1))
    }
}

private func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
}

private func withSocket<Value>(_ body: (Int32) throws -> Value) throws -> Value {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw Errno(rawValue: errno) }
    defer { close(descriptor) }
    return try body(descriptor)
}

private func connects(to port: UInt16) -> Bool {
    let connected = try? withSocket { descriptor in
        var address = loopback(port)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
    return connected ?? false
}

/// A port that nobody uses at this moment.
private func freePort() throws -> UInt16 {
    try withSocket { descriptor in
        var address = loopback(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        return try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                guard bind(descriptor, raw, size) == 0, getsockname(descriptor, raw, &size) == 0 else {
                    throw Errno(rawValue: errno)
                }
            }
            return UInt16(bigEndian: pointer.pointee.sin_port)
        }
    }
}
