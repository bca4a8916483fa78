import Glibc
import Sandbox
import SystemPackage
import TaskStorage

extension SandboxFolder {
    /// That of a task's debugger.
    init(ofSessionIn directory: TaskDirectory, user: SandboxUser) { self.init(directory.session, user: user) }

    var script: FilePath { path.appending("script") }
    func output(_ index: Int) -> FilePath { path.appending("output\(index)") }

    /// Where the text of a command waits for the end of the analysis.
    private func text(_ name: String) -> FilePath { path.appending("text-\(name)") }

    /// Takes what crash wrote for a command: as ``safeText(_:)`` it waits in a file of its own, however long it is, and the
    /// output is removed. Blocking.
    ///
    /// - Parameters:
    ///   - limit: How much of the output counts, in bytes.
    ///   - headBytes: How much of the text is wanted at once, in bytes.
    /// - Returns: The size of the output; its beginning and whether that is all, nil where nothing in it says anything.
    /// - Throws: `Errno` when the text cannot be written; what cannot be read is not there.
    func take(
        _ output: FilePath, as name: String, limit: Int, headBytes: Int
    ) throws(Errno) -> (byteCount: Int, head: (text: String, isWhole: Bool)?) {
        defer { unlink(output.string) }
        guard let file = try? ResultFile(at: output) else { return (0, nil) }
        let byteCount = min(file.byteCount, limit)
        var (offset, head, isWhole, says) = (0, "", true, false)
        do {
            let writer = try NewFile(text(name + ".new"))
            while offset < byteCount {
                let bytes = try file.read(at: offset, count: min(1 << 16, byteCount - offset))
                guard !bytes.isEmpty else { break }
                let isLast = offset + bytes.count >= byteCount
                let end = isLast ? bytes.count : max(1, beginOfCharacter(at: bytes.count - 1, in: bytes))
                let piece = safeText(bytes[..<end])
                says = says || hasWords(bytes[..<end])
                try writer.append(piece[...])
                if head.utf8.count < headBytes { head += piece } else { isWhole = false }
                offset += end
            }
            try writer.sync()
        }
        guard says else {
            unlink(text(name + ".new").string)
            return (byteCount, nil)
        }
        guard rename(text(name + ".new").string, text(name).string) == 0 else { throw Errno(rawValue: errno) }
        return (byteCount, (head, isWhole))
    }

    /// Makes the text of a command a result. Blocking.
    func publish(_ name: String, as file: FilePath) throws(Errno) {
        guard rename(text(name).string, file.string) == 0 else { throw Errno(rawValue: errno) }
    }
}
