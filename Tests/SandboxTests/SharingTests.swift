import Glibc
import Sandbox
import SystemPackage
import TestFixtures
import Testing

/// Without root nothing of a file changes, because programs run as the service itself.
@Suite struct SharingTests {
    private let user = SandboxUser.nobody
    private let isRoot = geteuid() == 0

    @Test func fileOfOursIsReadableByTheGroupOnly() throws {
        let file = try TemporaryFile(mode: 0o600)
        defer { file.remove() }
        try user.share(file.path)
        let facts = try facts(file.path)
        #expect(facts.st_mode & 0o777 == (isRoot ? 0o640 : 0o600))
        #expect(facts.st_uid == geteuid() && (!isRoot || facts.st_gid == user.groupID))
    }

    @Test func writableFileIsWritableByTheGroupOnly() throws {
        let file = try TemporaryFile(mode: 0o600)
        defer { file.remove() }
        try user.share(file.path, writable: true)
        #expect(try facts(file.path).st_mode & 0o777 == (isRoot ? 0o660 : 0o600))
    }

    @Test(arguments: [0o600, 0o640, 0o604] as [mode_t])
    func operatorsFileIsNeverChanged(of mode: mode_t) throws {
        let file = try TemporaryFile(mode: CInterop.Mode(mode))
        defer { file.remove() }
        let before = try facts(file.path)
        if isRoot, mode & 0o004 == 0 {
            #expect(throws: Errno.permissionDenied) { try user.share(file.path, isOurs: false) }
        } else {
            try user.share(file.path, isOurs: false)
        }
        let after = try facts(file.path)
        #expect(after.st_mode == before.st_mode && after.st_gid == before.st_gid)
    }

    @Test func fileWithAnotherNameIsNotChanged() throws {
        let file = try TemporaryFile(mode: 0o600)
        let other = FilePath(file.path.string + ".other")
        defer {
            file.remove()
            unlink(other.string)
        }
        #expect(link(file.path.string, other.string) == 0)
        if isRoot { #expect(throws: Errno.permissionDenied) { try user.share(file.path) } }
        #expect(try facts(file.path).st_mode & 0o777 == 0o600)
    }

    @Test func linkAndPipeInTheFilesPlaceAreRefused() throws {
        let file = try TemporaryFile(mode: 0o600)
        let (link, pipe) = (FilePath(file.path.string + ".link"), FilePath(file.path.string + ".pipe"))
        defer {
            file.remove()
            unlink(link.string)
            unlink(pipe.string)
        }
        #expect(symlink(file.path.string, link.string) == 0 && mkfifo(pipe.string, 0o600) == 0)
        #expect(throws: Errno.tooManySymbolicLinkLevels) { try user.share(link) }
        #expect(throws: Errno.invalidArgument) { try user.share(pipe) }
        #expect(try facts(file.path).st_mode & 0o777 == 0o600)
    }

    @Test func folderIsMadeAnewAndGoesWithAllItsFiles() throws {
        let file = try TemporaryFile(mode: 0o600)
        file.remove()
        let folder = SandboxFolder(file.path, user: user)
        try folder.make()
        try folder.put(Array("old".utf8), at: folder.path.appending("script"), writable: false)
        // What a service left behind that was killed.
        try folder.make()
        #expect(FolderContents.names(in: folder.path) == ["root"])
        let script = folder.path.appending("script")
        #expect(symlink("/etc/passwd", script.string) == 0)
        try folder.put(Array("new".utf8), at: script, writable: false)
        #expect(try FolderContents.read(script) == Array("new".utf8))
        #expect(symlink("usr/bin", folder.root.appending("bin").string) == 0)
        folder.remove()
        #expect(FolderContents.status(folder.path) == nil)
    }

    private func facts(_ path: FilePath) throws -> stat {
        var facts = stat()
        guard lstat(path.string, &facts) == 0 else { throw Errno(rawValue: errno) }
        return facts
    }
}
