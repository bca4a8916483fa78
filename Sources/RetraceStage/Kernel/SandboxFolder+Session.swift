import Glibc
import Sandbox
import SystemPackage
import TaskStorage

extension SandboxFolder {
    /// That of a task's debugger.
    init(ofSessionIn directory: TaskDirectory, user: SandboxUser) { self.init(directory.session, user: user) }

    var script: FilePath { path.appending("script") }
    func output(_ index: Int) -> FilePath { path.appending("output\(index)") }

    /// What a program of the sandbox wrote into a file, up to `limit` bytes; the file is removed. Blocking.
    func take(_ file: FilePath, limit: Int) -> [UInt8] {
        defer { unlink(file.string) }
        return readResult(file, limit: limit)
    }
}
