package import CrashModel
import Glibc
package import SystemPackage

/// The passwords of the tasks that this user has submitted: `<directory>/<server>/<task>`, readable by the user alone.
///
/// Everything here blocks for the time of a few system calls.
package struct CredentialStore: Sendable {
    package let directory: FilePath

    package init(directory: FilePath) { self.directory = directory }

    /// The user's store: below `$XDG_STATE_HOME/retrace/tasks`, else `~/.local/state/retrace/tasks` (XDG Base Directory
    /// Specification 0.8).
    ///
    /// - Parameter environment: The value of a variable.
    /// - Returns: nil when neither variable names an absolute path.
    package init?(environment: (String) -> String?) {
        func absolute(_ name: String) -> FilePath? {
            environment(name).map { FilePath($0) }.flatMap { $0.isAbsolute ? $0 : nil }
        }
        guard let state = absolute("XDG_STATE_HOME") ?? absolute("HOME")?.appending(".local/state") else { return nil }
        directory = state.appending("retrace/tasks")
    }

    /// - Throws: `Errno`.
    package func save(_ credentials: TaskCredentials, of server: ServerAddress) throws(Errno) {
        let folder = directory.appending(server.fileName)
        try makeDirectories(folder)
        let place = folder.appending(credentials.task.description)
        let draft = folder.appending(".\(credentials.task).new")
        unlink(draft.string)
        do {
            let file = try FileDescriptor.open(
                draft, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec, .noFollow],
                permissions: .ownerReadWrite)
            try file.closeAfter { _ = try file.writeAll(Array("\(credentials.password)\n".utf8)) }
        } catch {
            throw error as? Errno ?? .ioError
        }
        guard rename(draft.string, place.string) == 0 else { throw Errno(rawValue: errno) }
    }

    /// The password of a task; nil when none is kept.
    ///
    /// - Throws: `Errno`.
    package func password(of task: TaskID, on server: ServerAddress) throws(Errno) -> String? {
        do {
            let place = directory.appending(server.fileName).appending(task.description)
            let file = try FileDescriptor.open(place, .readOnly, options: [.closeOnExec, .noFollow])
            let bytes = try file.closeAfter {
                try [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
                    count = try file.read(into: UnsafeMutableRawBufferPointer(buffer))
                }
            }
            let line = bytes.prefix { $0 != UInt8(ascii: "\n") }
            return line.isEmpty ? nil : String(decoding: line, as: UTF8.self)
        } catch Errno.noSuchFileOrDirectory {
            return nil
        } catch {
            throw error as? Errno ?? .ioError
        }
    }

    private func makeDirectories(_ path: FilePath) throws(Errno) {
        var made = FilePath(root: path.root)
        for component in path.components {
            made.append(component)
            guard mkdir(made.string, 0o700) == 0 || errno == EEXIST || errno == EROFS || errno == EACCES else {
                throw Errno(rawValue: errno)
            }
        }
    }
}

/// The password to use, in this order: the option, the environment (`RETRACE_PASSWORD`), the store.
///
/// - Throws: ``ClientError`` with `denied` when there is none; it says where to give one.
package func findPassword(
    of task: TaskID, on server: ServerAddress, option: String?, environment: String?, store: CredentialStore?
) throws(ClientError) -> String {
    if let given = [option, environment].compactMap({ $0 }).first(where: { !$0.isEmpty }) { return given }
    let stored: String?
    do {
        stored = try store?.password(of: task, on: server)
    } catch {
        throw ClientError(
            .denied, "The stored password of task \(task) cannot be read: \(error).",
            advice: "Give it with --password or RETRACE_PASSWORD.")
    }
    guard let stored else {
        throw ClientError(
            .denied, "No password is known here for task \(task) on \(server).",
            advice: "Give the one that came with the id, with --password or RETRACE_PASSWORD; "
                + "if the task is on another server, name it with --server.")
    }
    return stored
}
