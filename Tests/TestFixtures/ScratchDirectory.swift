import Glibc
package import SystemPackage

/// An empty directory for one test; whatever was put into it goes with ``remove()``.
package struct ScratchDirectory: Sendable {
    package let path: FilePath

    /// - Throws: `Errno` when the system's directory for temporary files can not be written.
    package init() throws {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/retrace-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
        path = FilePath(platformString: template)
    }

    /// Removes the directory and all below it; links are removed, never followed.
    package func remove() {
        Self.removeEverything(in: path)
        _ = rmdir(path.string)
    }

    /// Runs `body` in a new directory and removes it afterwards, whatever happened.
    package static func with<Value>(_ body: (FilePath) throws -> Value) throws -> Value {
        let directory = try ScratchDirectory()
        defer { directory.remove() }
        return try body(directory.path)
    }

    /// As ``with(_:)-(FilePath)``, for a test that waits.
    package static func with<Value>(
        isolation: isolated (any Actor)? = #isolation, _ body: (FilePath) async throws -> Value
    ) async throws -> Value {
        let directory = try ScratchDirectory()
        defer { directory.remove() }
        return try await body(directory.path)
    }

    private static func removeEverything(in directory: FilePath) {
        guard let stream = opendir(directory.string) else { return }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name != ".", name != ".." else { continue }
            let path = directory.appending(name)
            if Glibc.remove(path.string) == 0 { continue }
            removeEverything(in: path)
            _ = rmdir(path.string)
        }
    }
}
