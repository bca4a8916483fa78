import CrashModel
import Glibc
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@Suite struct TaskDirectoryTests {
    @Test func newDirectoryLetsOthersPassButNotLook() throws {
        try ScratchDirectory.with { spool in
            let directory = try TaskDirectory.create(in: spool)
            #expect(mode(of: directory.path) == 0o711)
            #expect(directory.path.removingLastComponent() == spool)
        }
    }

    @Test func takenIdLeadsToAnotherDraw() throws {
        try ScratchDirectory.with { spool in
            let first = try TaskDirectory.create(in: spool)
            let other = try TaskID("123456789")
            var draws = [first.task, first.task, other]
            let second = try TaskDirectory.create(in: spool) { draws.removeFirst() }
            #expect(second.task == other)
        }
    }

    @Test func fiftyTakenIdsAreAnError() throws {
        try ScratchDirectory.with { spool in
            let first = try TaskDirectory.create(in: spool)
            #expect(throws: Errno.fileExists) { try TaskDirectory.create(in: spool) { first.task } }
        }
    }

    @Test func missingSpoolIsReported() throws {
        try ScratchDirectory.with { spool in
            let missing = spool.appending("none")
            #expect(throws: Errno.noSuchFileOrDirectory) { try TaskDirectory.create(in: missing) }
        }
    }

    @Test func removalTakesTreesAndLeavesWhatLinksPointTo() throws {
        try ScratchDirectory.with { spool in
            let precious = spool.appending("precious")
            try #require(mkdir(precious.string, 0o755) == 0)
            try write("keep", to: precious.appending("file"))
            let directory = try TaskDirectory.create(in: spool)
            try #require(mkdir(directory.crash.string, 0o711) == 0)
            try write("core", to: directory.coredump)
            try #require(symlink(precious.string, directory.crash.appending("link").string) == 0)
            try #require(symlink(precious.string, directory.path.appending("upload").string) == 0)
            try #require(mkfifo(directory.path.appending("pipe").string, 0o600) == 0)
            try directory.remove()
            #expect(!exists(directory.path))
            #expect(exists(precious.appending("file")))
            try directory.remove()
        }
    }

    @Test func linkInPlaceOfTheTaskIsNotFollowed() throws {
        try ScratchDirectory.with { spool in
            let precious = spool.appending("precious")
            try #require(mkdir(precious.string, 0o755) == 0)
            try write("keep", to: precious.appending("file"))
            let directory = TaskDirectory(try TaskID("123456789"), in: spool)
            try #require(symlink(precious.string, directory.path.string) == 0)
            #expect(throws: Errno.self) { try directory.remove() }
            #expect(exists(precious.appending("file")))
        }
    }

    @Test func uploadIsMadeOnceAndForTheOwnerOnly() throws {
        try ScratchDirectory.with { spool in
            let directory = try TaskDirectory.create(in: spool)
            try directory.createUpload().close()
            #expect(mode(of: directory.upload) == 0o600)
            #expect(throws: Errno.fileExists) { try directory.createUpload() }
        }
    }

    @Test func spoolListsItsTasksOnly() throws {
        try ScratchDirectory.with { spool in
            let directory = try TaskDirectory.create(in: spool)
            try write("", to: spool.appending("tasks.sqlite"))
            #expect(try TaskDirectory.tasks(in: spool) == [directory.task])
        }
    }

    @Test func freeSpaceIsANumberAndAMissingPathAnError() throws {
        try ScratchDirectory.with { spool in
            let free = try availableBytes(at: spool)
            #expect(free > 0)
            #expect(throws: Errno.noSuchFileOrDirectory) { try availableBytes(at: spool.appending("none")) }
        }
    }

    @Test func resultFileIsReadInPartsAndLinksAreRefused() throws {
        try ScratchDirectory.with { directory in
            let path = directory.appending("backtrace")
            #expect(try ResultFile(at: path) == nil)
            try write("0123456789", to: path)
            let file = try #require(try ResultFile(at: path))
            #expect(file.byteCount == 10)
            #expect(try file.read(at: 7, count: 100) == Array("789".utf8))
            try #require(symlink(path.string, directory.appending("link").string) == 0)
            try #require(mkfifo(directory.appending("pipe").string, 0o600) == 0)
            #expect(throws: Errno.self) { try ResultFile(at: directory.appending("link")) }
            #expect(throws: Errno.invalidArgument) { try ResultFile(at: directory.appending("pipe")) }
        }
    }
}
