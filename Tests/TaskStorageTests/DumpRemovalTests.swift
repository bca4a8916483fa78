import CrashModel
import Glibc
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@Suite struct DumpRemovalTests {
    @Test func dumpGoesAndResultsStay() throws {
        try ScratchDirectory.with { spool in
            let directory = try TaskDirectory.create(in: spool)
            let partial = FilePath(directory.crash.string + ".partial")
            for folder in [directory.crash, partial, directory.logSession, directory.session] {
                let inner = folder.appending("root")
                #expect(mkdir(folder.string, 0o711) == 0 && mkdir(inner.string, 0o711) == 0)
                for file in [folder.appending("coredump"), inner.appending("lib")] {
                    _ = try FolderContents.write("core".utf8, to: file)
                }
            }
            for file in [directory.upload, directory.backtrace, directory.log] {
                _ = try FolderContents.write("text".utf8, to: file)
            }
            try directory.removeDump()
            #expect(FolderContents.names(in: directory.path).sorted() == ["backtrace", "retrace-log"])
            try directory.removeDump()
        }
    }

    @Test func linkInPlaceOfTheCrashIsRemovedAndNotFollowed() throws {
        try ScratchDirectory.with { spool in
            let directory = try TaskDirectory.create(in: spool)
            let outside = spool.appending("outside")
            #expect(mkdir(outside.string, 0o755) == 0)
            _ = try FolderContents.write("keep".utf8, to: outside.appending("keep"))
            #expect(symlink(outside.string, directory.crash.string) == 0)
            try directory.removeDump()
            #expect(FolderContents.names(in: directory.path) == [])
            #expect(FolderContents.names(in: outside) == ["keep"])
        }
    }

    @Test func keptTaskKeepsItsDumpAndItsJobForItsOwnerAlone() throws {
        try ScratchDirectory.with { spool in
            let directory = try TaskDirectory.create(in: spool)
            #expect(mkdir(directory.crash.string, 0o711) == 0)
            try directory.keepRetraceJob(Array("{}".utf8))
            #expect(try !directory.isKept() && directory.keptRetraceJob(upTo: 100) == nil)
            try directory.keepDump()
            try directory.keepRetraceJob(Array("{}".utf8))
            try directory.keepRetraceJob(Array("{\"version\": 1}".utf8))
            try directory.removeDump()
            #expect(try directory.isKept() && directory.keptRetraceJob(upTo: 100) == Array("{\"version\": 1}".utf8))
            #expect(try directory.keptRetraceJob(upTo: 3) == nil)
            var facts = stat()
            #expect(stat(directory.path.appending("retrace-job.json").string, &facts) == 0)
            #expect(facts.st_mode & 0o777 == 0o600)
            #expect(
                FolderContents.names(in: directory.path).sorted() == ["crash", "keep-dump", "retrace-job.json"])
        }
    }

    @Test func jobOfATaskThatHasJustBeenDeletedIsNotWritten() throws {
        try ScratchDirectory.with { spool in
            let directory = try TaskDirectory.create(in: spool)
            try directory.keepDump()
            try directory.remove()
            try directory.keepRetraceJob(Array("{}".utf8))
            #expect(FolderContents.names(in: spool) == [])
        }
    }

    @Test func taskThatIsGoneHasNoDump() throws {
        try ScratchDirectory.with { spool in try TaskDirectory(TaskID("123456789"), in: spool).removeDump() }
    }
}
