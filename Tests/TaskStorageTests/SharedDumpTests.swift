import CrashModel
import Glibc
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@Suite("Kept dumps with the same bytes")
struct SharedDumpTests {
    private let kernel = KernelDump(format: .kdump, release: nil, releaseEvidence: "The test says so.")

    private func task(in spool: FilePath, _ text: String) throws -> TaskDirectory {
        let directory = try TaskDirectory.create(in: spool)
        guard mkdir(directory.crash.string, 0o711) == 0 else { throw Errno(rawValue: errno) }
        try write(text, to: directory.vmcore(kernel))
        return directory
    }

    private func facts(_ path: FilePath) -> (inode: UInt64, links: UInt64) {
        var facts = stat()
        return lstat(path.string, &facts) == 0 ? (UInt64(facts.st_ino), UInt64(facts.st_nlink)) : (0, 0)
    }

    private func text(_ path: FilePath) throws -> String {
        let file = try #require(try ResultFile(at: path))
        return String(decoding: try file.read(at: 0, count: file.byteCount), as: UTF8.self)
    }

    @Test func equalDumpsBecomeOneFileAndOthersStay() throws {
        try ScratchDirectory.with { spool in
            let (first, second, other) = try (task(in: spool, "same"), task(in: spool, "same"), task(in: spool, "else"))
            #expect(try first.shareKeptDump(kernel) == [.unique])
            #expect(try other.shareKeptDump(kernel) == [.unique])
            #expect(try second.shareKeptDump(kernel) == [.shared(with: first.task, savedBytes: 4)])
            #expect(try second.shareKeptDump(kernel) == [.shared(with: first.task, savedBytes: 0)])
            #expect(facts(first.vmcore(kernel)) == facts(second.vmcore(kernel)))
            #expect(facts(first.vmcore(kernel)).links == 2 && facts(other.vmcore(kernel)).links == 1)
            #expect(FolderContents.names(in: second.crash) == ["vmcore"])
        }
    }

    @Test func theBytesStayWhileOneTaskHasThemAndGoWithTheLast() throws {
        try ScratchDirectory.with { spool in
            let (first, second) = try (task(in: spool, "same"), task(in: spool, "same"))
            _ = try first.shareKeptDump(kernel)
            _ = try second.shareKeptDump(kernel)
            try first.remove()
            #expect(try text(second.vmcore(kernel)) == "same" && facts(second.vmcore(kernel)).links == 1)
            try TaskDirectory.forgetSharedDumps(in: spool)
            let third = try task(in: spool, "same")
            #expect(try third.shareKeptDump(kernel) == [.shared(with: second.task, savedBytes: 4)])
            try second.remove()
            try third.remove()
            try TaskDirectory.forgetSharedDumps(in: spool)
            #expect(FolderContents.names(in: spool.appending(".dumps")) == [])
        }
    }

    @Test func aRegistryThatLiesLosesNothing() throws {
        try ScratchDirectory.with { spool in
            let (first, second) = try (task(in: spool, "same"), task(in: spool, "same"))
            _ = try first.shareKeptDump(kernel)
            // The first one's bytes are no longer those it was noted for.
            try write("evil", to: first.vmcore(kernel))
            let digest = try #require(FolderContents.names(in: spool.appending(".dumps")).first)
            for name in ["nonsense", "1:..", "5:", ":x", "123456789:gone"] {
                try write("", to: spool.appending(".dumps").appending(digest).appending(name))
            }
            #expect(try second.shareKeptDump(kernel) == [.unique])
            #expect(try text(second.vmcore(kernel)) == "same" && text(first.vmcore(kernel)) == "evil")
            #expect(FolderContents.names(in: spool.appending(".dumps").appending(digest)).count == 2)
        }
    }

    @Test func aLinkInPlaceOfADumpIsNotFollowed() throws {
        try ScratchDirectory.with { spool in
            let (first, second) = try (task(in: spool, "same"), task(in: spool, "same"))
            _ = try first.shareKeptDump(kernel)
            try write("same", to: spool.appending("outside"))
            #expect(unlink(first.vmcore(kernel).string) == 0)
            #expect(symlink(spool.appending("outside").string, first.vmcore(kernel).string) == 0)
            #expect(try second.shareKeptDump(kernel) == [.unique])
            #expect(facts(second.vmcore(kernel)).links == 1)
        }
    }

    /// The operator may write his own file anew in its place.
    @Test(arguments: [true, false]) func aLinkToAnOperatorsFileIsNobodysDumpButItsTasks(_ comesFirst: Bool) throws {
        try ScratchDirectory.with { spool in
            let (linked, own) = try (task(in: spool, "same"), task(in: spool, "same"))
            let theirs = spool.appending("theirs")
            #expect(link(linked.vmcore(kernel).string, theirs.string) == 0)
            if comesFirst {
                try write("", to: linked.crash.appending(TaskDirectory.linkedDumpMark))
                #expect(try linked.shareKeptDump(kernel) == [.unique])
            } else {
                // As the registry was before there was a mark, or as one that lies.
                #expect(try linked.shareKeptDump(kernel) == [.unique])
                try write("", to: linked.crash.appending(TaskDirectory.linkedDumpMark))
            }
            #expect(try own.shareKeptDump(kernel) == [.unique])
            #expect(try linked.shareKeptDump(kernel) == [.unique])
            #expect(facts(own.vmcore(kernel)).links == 1 && facts(theirs).links == 2)
            #expect(facts(linked.vmcore(kernel)) == facts(theirs))
            // Once the link has given way to a file of the task's own, that is as any other.
            #expect(unlink(linked.vmcore(kernel).string) == 0)
            try write("same", to: linked.vmcore(kernel))
            #expect(unlink(linked.crash.appending(TaskDirectory.linkedDumpMark).string) == 0)
            #expect(try linked.shareKeptDump(kernel) == [.shared(with: own.task, savedBytes: 4)])
        }
    }

    /// The memory of VMware's machine is the larger of its two files by far.
    @Test func bothFilesOfVMwareAreKeptOnceEachByItself() throws {
        try ScratchDirectory.with { spool in
            let pair = KernelDump(
                format: .vmware, release: nil, releaseEvidence: "The test says so.", file: "vmcore.vmss",
                memoryFile: "vmcore.vmem")
            let tasks = try ["state", "state", "other"].map { state in
                let directory = try task(in: spool, "no part of it")
                try write(state, to: directory.crash.appending("vmcore.vmss"))
                try write("the memory", to: directory.crash.appending("vmcore.vmem"))
                return directory
            }
            #expect(try tasks[0].shareKeptDump(pair) == [.unique, .unique])
            let first = tasks[0].task
            #expect(
                try tasks[1].shareKeptDump(pair) == [
                    .shared(with: first, savedBytes: 5), .shared(with: first, savedBytes: 10),
                ])
            let last = try tasks[2].shareKeptDump(pair)
            let shared = tasks.prefix(2).map { TaskDirectory.DumpSharing.shared(with: $0.task, savedBytes: 10) }
            #expect(last.count == 2 && last.first == .unique && shared.contains { $0 == last.last })
            #expect(tasks[0].dumps(of: pair).map { facts($0).links } == [2, 3])
            #expect(tasks.allSatisfy { facts($0.vmcore(kernel)).links == 1 })
            #expect(FolderContents.names(in: tasks[2].crash) == ["vmcore", "vmcore.vmem", "vmcore.vmss"])
        }
    }

    @Test func whatAKilledAttemptLeftIsInNobodysWay() throws {
        try ScratchDirectory.with { spool in
            let (first, second) = try (task(in: spool, "same"), task(in: spool, "same"))
            _ = try first.shareKeptDump(kernel)
            try write("half", to: FilePath(second.vmcore(kernel).string + ".shared"))
            #expect(try second.shareKeptDump(kernel) == [.shared(with: first.task, savedBytes: 4)])
            #expect(
                FolderContents.names(in: second.crash) == ["vmcore"]
                    && FolderContents.names(in: first.crash) == ["vmcore"])
        }
    }

    @Test func onlyOneAtATimeMayChangeAKeptDump() throws {
        try ScratchDirectory.with { spool in
            let directory = try task(in: spool, "same")
            #expect(throws: Errno.noSuchFileOrDirectory) { try directory.lockKeptDump() }
            try directory.keepDump()
            var first = try directory.lockKeptDump()
            #expect(try first != nil && directory.lockKeptDump() == nil)
            first = nil
            #expect(try directory.lockKeptDump() != nil)
        }
    }

    @Test func withoutADumpOrARegistryThereIsNothingToDo() throws {
        try ScratchDirectory.with { spool in
            let directory = try TaskDirectory.create(in: spool)
            #expect(try directory.shareKeptDump(kernel) == [.unique])
            try TaskDirectory.forgetSharedDumps(in: spool)
            #expect(!exists(spool.appending(".dumps")))
        }
    }

    /// Once such a dump was read hole by hole, for hours.
    @Test(.timeLimit(.minutes(2))) func aHoleOfATerabyteTakesNoTime() throws {
        try ScratchDirectory.with { spool in
            let tasks = try (0..<3).map { _ in try task(in: spool, "same") }
            for (index, task) in tasks.enumerated() {
                try overwrite(index == 2 ? "else" : "more", at: 1 << 39, of: task.vmcore(kernel))
                #expect(truncate(task.vmcore(kernel).string, 1 << 40) == 0)
            }
            #expect(try tasks[0].shareKeptDump(kernel) == [.unique])
            #expect(try tasks[1].shareKeptDump(kernel) == [.shared(with: tasks[0].task, savedBytes: 1 << 40)])
            #expect(try tasks[2].shareKeptDump(kernel) == [.unique])
        }
    }

    @Test func zerosAreTheSameWhetherTheyAreAHoleOrNot() throws {
        try ScratchDirectory.with { spool in
            let (first, second) = try (task(in: spool, "same"), task(in: spool, "same"))
            try overwrite("end", at: 3_000_001, of: first.vmcore(kernel))
            try overwrite(String(repeating: "\0", count: 2_999_997) + "end", at: 4, of: second.vmcore(kernel))
            #expect(try first.shareKeptDump(kernel) == [.unique])
            #expect(try second.shareKeptDump(kernel) == [.shared(with: first.task, savedBytes: 3_000_004)])
        }
    }

    @Test func whatStandsInTheHoleOfAnotherIsSeen() throws {
        try ScratchDirectory.with { spool in
            let (first, second) = try (task(in: spool, "same"), task(in: spool, "same"))
            for task in [first, second] { try overwrite("end", at: 64 << 20, of: task.vmcore(kernel)) }
            _ = try first.shareKeptDump(kernel)
            // The registry still says that this is the dump it was.
            try overwrite("x", at: 32 << 20, of: first.vmcore(kernel))
            #expect(try second.shareKeptDump(kernel) == [.unique])
            #expect(facts(second.vmcore(kernel)).links == 1)
        }
    }

    /// Writes into a file that is there.
    private func overwrite(_ text: String, at offset: Int64, of path: FilePath) throws {
        let file = try FileDescriptor.open(path, .writeOnly)
        _ = try file.closeAfter { try file.writeAll(toAbsoluteOffset: offset, text.utf8) }
    }
}
