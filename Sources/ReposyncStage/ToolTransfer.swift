import CrashModel
import Sandbox
import SystemPackage

/// A mirror that a tool of the host speaks to: rsync(1) for `rsync://`, curl(1) for `ftp://`.
struct ToolMirror: Hashable, Sendable {
    enum Tool: String, Hashable, Sendable {
        case rsync
        case curl
    }

    let tool: Tool
    /// Without a slash at the end.
    let base: String

    /// nil for an address of any other scheme.
    init?(_ address: String) {
        if address.hasPrefix("rsync://") {
            tool = .rsync
        } else if address.hasPrefix("ftp://") {
            tool = .curl
        } else {
            return nil
        }
        base = address
    }
}

extension Downloader {
    /// Lets the tool bring a file to `place`; what lies there from an earlier try is continued.
    ///
    /// - Parameters:
    ///   - limit: The most that the file may have, in bytes: the tool cannot write more.
    ///   - bytesPerSecond: The most that it takes; nil for no limit.
    /// - Throws: ``MirrorFailure``.
    func bring(
        _ path: String, at mirror: ToolMirror, to place: FilePath, limit: UInt64, bytesPerSecond: UInt64? = nil
    ) async throws {
        let seconds = String(limits.silenceSeconds)
        // curl counts the waits for its own limit too.
        let slowest = min(UInt64(max(limits.slowestBytesPerSecond, 1)), max((bytesPerSecond ?? .max) / 2, 1))
        let arguments: [String]
        switch mirror.tool {
        case .rsync:
            // The server takes these for patterns.
            guard !path.contains(where: "*?[]".contains) else {
                throw MirrorFailure(.missing, "\(path) cannot be asked for over rsync")
            }
            arguments =
                [
                    "rsync", "--quiet", "--no-motd", "--copy-links", "--inplace", "--timeout=\(seconds)",
                    "--contimeout=\(limits.connectSeconds)", "--max-size=\(limit)",
                ] + (bytesPerSecond.map { ["--bwlimit=\(max($0 / 1024, 1))"] } ?? [])
                + ["--", "\(mirror.base)/\(path)", place.string]
        case .curl:
            arguments =
                [
                    "curl", "--disable", "--silent", "--show-error", "--fail", "--globoff", "--proto", "=ftp",
                    "--max-filesize", String(limit), "--connect-timeout", String(limits.connectSeconds),
                    "--speed-limit", String(slowest), "--speed-time", seconds, "--continue-at", "-",
                ] + (bytesPerSecond.map { ["--limit-rate", String(max($0, 1))] } ?? [])
                + ["--output", place.string, "--", MirrorAddress.url(mirror.base, path)]
        }
        var box = SandboxLimits.tool
        box.wallTime = .seconds(limits.fileSeconds)
        box.fileBytes = limit
        let result: ChildResult
        do {
            result = try await runTool(arguments, limits: box)
        } catch {
            if error.code == .cancelled { throw CancellationError() }
            throw MirrorFailure(.unreachable, "\(mirror.tool.rawValue) could not be run: \(error)")
        }
        if result.succeeded, try await blocking({ fileSize(place) != nil }) { return }
        if result.termination.exitStatus == nil {
            // It was killed, as at more bytes than announced: what it wrote is not to be continued.
            try await blocking { try removeFile(place) }
        }
        let said = String(decoding: result.standardError, as: UTF8.self).split(separator: "\n")
        let isMissing: Bool =
            switch (mirror.tool, result.termination.exitStatus) {
            // rsync leaves out a file over --max-size and says nothing.
            case (.rsync, 0), (.rsync, 23): true
            // 9: no such directory, 19: RETR was refused, 78: no such file (curl's manual, EXIT CODES).
            case (.curl, 9), (.curl, 19), (.curl, 78): true
            default: false
            }
        throw MirrorFailure(
            isMissing ? .missing : .unreachable,
            "\(mirror.tool.rawValue) did not bring \(path.split(separator: "/").last ?? "the file")"
                + (said.first.map { ": \($0.prefix(200))" } ?? ""))
    }

    /// The whole of a small file.
    func bringSmall(_ path: String, at mirror: ToolMirror, limit: Int) async throws -> [UInt8] {
        let folder = try await blocking { try ScratchFolder() }
        let place = folder.path.appending("file")
        try await bring(path, at: mirror, to: place, limit: UInt64(limit))
        return try await blocking { try readFile(place, limit: limit) }
    }
}
