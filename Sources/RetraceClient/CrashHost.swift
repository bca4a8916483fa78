import CrashModel
import ELF
import Glibc
import Sandbox
package import SystemPackage

/// The machine on which the program crashed, as far as it can be asked.
package struct CrashHost: Sendable {
    /// The text of os-release(5); nil when there is none.
    package let osRelease: @Sendable () -> String?
    /// The start of a file, or nil when there is none to read.
    package let startOfFile: @Sendable (FilePath) -> [UInt8]?
    /// Runs a program of the host without a shell; nil when it is not installed or fails.
    package let run: @Sendable ([String]) async -> String?

    package init(
        osRelease: @escaping @Sendable () -> String?, startOfFile: @escaping @Sendable (FilePath) -> [UInt8]?,
        run: @escaping @Sendable ([String]) async -> String?
    ) {
        self.osRelease = osRelease
        self.startOfFile = startOfFile
        self.run = run
    }

    /// This machine. Its first two closures block for the time of one read.
    package static let current = CrashHost(
        osRelease: {
            let texts = ["/etc/os-release", "/usr/lib/os-release"].lazy.compactMap { readStart(FilePath($0), 16 << 10) }
            return texts.first.map { String(decoding: $0, as: UTF8.self) }
        },
        startOfFile: { readStart($0, 64 << 10) },
        run: { arguments in
            do {
                let result = try await runTool(arguments)
                return result.succeeded ? String(decoding: result.standardOutput, as: UTF8.self) : nil
            } catch {
                // A package manager that is not here knows nothing of the program: the caller says so.
                return nil
            }
        })
}

/// The first `limit` bytes of a regular file, following links.
private func readStart(_ path: FilePath, _ limit: Int) -> [UInt8]? {
    guard let file = try? FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .nonBlocking]) else {
        return nil
    }
    return try? file.closeAfter {
        var status = stat()
        guard fstat(file.rawValue, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return try [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            while count < limit {
                let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[count...])
                let got = try file.read(into: rest)
                if got == 0 { break }
                count += got
            }
        }
    }
}

extension CrashHost {
    /// The text for `os_release`: the line that ABRT has, or all of os-release(5) where that line tells no version
    /// (`Debian GNU/Linux trixie/sid`).
    func releaseText() -> String? {
        guard let text = osRelease() else { return nil }
        let pretty = text.split(whereSeparator: \.isNewline).compactMap { line -> String? in
            guard line.hasPrefix("PRETTY_NAME=") else { return nil }
            let value = line.dropFirst("PRETTY_NAME=".count)
            return String(value.drop { "\"'".contains($0) }.prefix { !"\"'".contains($0) })
        }
        guard let name = pretty.last, name.contains(where: \.isNumber) else { return text }
        return name
    }

    /// Whether the program on this machine is the one that crashed.
    enum ProgramMatch {
        case same
        /// There is a file, and its build-id is another.
        case other
        /// One of the two has no build-id, or there is no such file any more.
        case unknown
    }

    func match(_ executable: String, _ buildID: BuildID?) -> ProgramMatch {
        guard let buildID, let start = startOfFile(FilePath(executable)),
            let identity = try? ELFIdentity(prefix: start), let here = identity.buildID
        else { return .unknown }
        return here == buildID ? .same : .other
    }
}
