import ChrootStage
import CrashModel
import Glibc
import Packages
import Synchronization
import SystemPackage
import TestFixtures
import Testing

@Suite struct RootLifecycleTests {
    @Test func buildingAgainGivesTheRootThatIsThere() async throws {
        try await DebianRelease.with { release in
            let tool = try await release.add(TestPackage("tool", "1-1", ["usr/bin/tool": .text("tool")]))
            let resolution = release.resolution(
                [tool], modules: [release.module("/usr/bin/x", binary: (tool, "/usr/bin/x"))])
            let first = try await release.builder.build(resolution, task: release.task)
            #expect(!first.remarks.isEmpty)
            let inode = try status(FilePath(first.crashRoot)).st_ino
            #expect(try await release.builder.build(resolution, task: release.task) == first)
            #expect(try status(FilePath(first.crashRoot)).st_ino == inode)
        }
    }

    @Test func anotherResolutionOfTheTaskGivesAnotherRoot() async throws {
        try await DebianRelease.with { release in
            let old = try await release.add(TestPackage("tool", "1-1", ["usr/bin/tool": .text("old")]))
            let new = try await release.add(TestPackage("tool", "2-1", ["usr/bin/tool": .text("new")]))
            _ = try await release.builder.build(release.resolution([old]), task: release.task)
            let chroot = try await release.builder.build(release.resolution([new]), task: release.task)
            #expect(contents(FilePath(chroot.crashRoot).appending("usr/bin/tool")) == "new")
        }
    }

    @Test func halfBuiltRootOfADeadProcessIsReplaced() async throws {
        try await DebianRelease.with { release in
            let tool = try await release.add(TestPackage("tool", "1-1", ["usr/bin/tool": .text("tool")]))
            try write([1], to: release.roots.appending("\(release.task).partial/usr/bin/half"))
            // A whole directory without a manifest is not known to be complete.
            try write([1], to: release.roots.appending("\(release.task)/usr/bin/unknown"))
            let chroot = try await release.builder.build(release.resolution([tool]), task: release.task)
            #expect(contents(FilePath(chroot.crashRoot).appending("usr/bin/tool")) == "tool")
            #expect(!exists(FilePath(chroot.crashRoot).appending("usr/bin/unknown")))
            #expect(!exists(FilePath(chroot.crashRoot).appending("usr/bin/half")))
            #expect(!exists(release.roots.appending("\(release.task).partial")))
        }
    }

    @Test func removedRootIsGoneAndRemovingAgainIsFine() async throws {
        try await DebianRelease.with { release in
            let tool = try await release.add(TestPackage("tool", "1-1", ["usr/bin/tool": .text("tool")]))
            let chroot = try await release.builder.build(release.resolution([tool]), task: release.task)
            try await release.builder.removeCrashRoot(of: release.task)
            try await release.builder.removeCrashRoot(of: release.task)
            #expect(!exists(FilePath(chroot.crashRoot)))
            #expect(!exists(release.roots.appending("\(release.task).json")))
            // The store keeps the package: the next task is warm.
            #expect(unlink(release.mirror.path.appending(tool.location).string) == 0)
            let again = try await release.builder.build(release.resolution([tool]), task: release.task)
            #expect(contents(FilePath(again.crashRoot).appending("usr/bin/tool")) == "tool")
        }
    }

    @Test func removalTakesWhatADeadProcessLeftOfTheSameRoot() async throws {
        try await DebianRelease.with { release in
            let other = "\(release.task)1.7.stale"
            for name in ["\(release.task).77.stale", "\(release.task).partial", other] {
                try write([1], to: release.roots.appending("\(name)/x"))
            }
            try await removeCrashRoot(of: release.task, in: release.store.directory)
            #expect(!exists(release.roots.appending("\(release.task).77.stale")))
            // It may be in the making once more; its builder knows.
            #expect(exists(release.roots.appending("\(release.task).partial")))
            try await release.builder.removeCrashRoot(of: release.task)
            #expect(!exists(release.roots.appending("\(release.task).partial")))
            #expect(exists(release.roots.appending(other)))
        }
    }

    @Test func sweepRemovesRootsOfDeadTasksAndLeftOvers() async throws {
        try await DebianRelease.with { release in
            let alive = release.task
            let dead = try TaskID("987654321")
            _ = try await release.builder.build(release.resolution([]), task: alive)
            _ = try await release.builder.build(release.resolution([]), task: dead)
            try write([1], to: release.roots.appending("111111111.partial/x"))
            try write([1], to: release.roots.appending("111111111.77.stale/x"))
            try write([1], to: release.roots.appending("not-ours/x"))
            let none = try await release.builder.sweep(olderThan: .seconds(3600)) { $0 == alive }
            #expect(none == [])
            let removed = try await release.builder.sweep(olderThan: .seconds(-1)) { $0 == alive }
            #expect(
                Set(removed) == ["987654321", "987654321.json", "111111111.partial", "111111111.77.stale"])
            #expect(exists(release.roots.appending("\(alive)")) && exists(release.roots.appending("not-ours")))
        }
    }

    @Test func rootsOfTasksThatAreGoneGoAtOnceAndOthersStay() async throws {
        try await DebianRelease.with { release in
            let alive = release.task
            let dead = try TaskID("987654321")
            _ = try await release.builder.build(release.resolution([]), task: alive)
            _ = try await release.builder.build(release.resolution([]), task: dead)
            try write([1], to: release.roots.appending("111111111.partial/x"))
            let removed = try await release.builder.removeRootsOfDeadTasks { $0 == alive }
            #expect(Set(removed) == ["987654321", "987654321.json"])
            #expect(exists(release.roots.appending("\(alive)")))
            // It may be in the making.
            #expect(exists(release.roots.appending("111111111.partial")))
        }
    }

    @Test func sweepLeavesTheDebuggerRootInWhichAKeptTaskMayBeOpened() async throws {
        try await DebianRelease.with { release in
            let old = FilePath(try await release.builder.debuggerRoot(for: release.releaseID).directory)
            try await release.addGdb(version: "14.2-1")
            _ = try await release.builder.debuggerRoot(for: release.releaseID)
            let removed = try await release.builder.sweep(olderThan: .seconds(-1), keeping: [old]) { _ in true }
            #expect(removed == [] && exists(old))
        }
    }

    @Test func sweepRemovesReplacedDebuggerRootsAndKeepsTheCurrentOne() async throws {
        try await DebianRelease.with { release in
            let old = FilePath(try await release.builder.debuggerRoot(for: release.releaseID).directory)
            try await release.addGdb(version: "14.2-1")
            let new = FilePath(try await release.builder.debuggerRoot(for: release.releaseID).directory)
            #expect(try await release.builder.sweep(olderThan: .seconds(3600)) { _ in false } == [])
            let removed = try await release.builder.sweep(olderThan: .seconds(-1)) { _ in false }
            #expect(removed == old.lastComponent.map { [$0.string] } ?? [])
            #expect(!exists(old) && exists(new.appending("usr/bin/gdb")))
        }
    }

    @Test func progressCountsPackages() async throws {
        try await DebianRelease.with { release in
            let tool = try await release.add(TestPackage("tool", "1-1", ["usr/bin/tool": .text("tool")]))
            _ = try await release.builder.debuggerRoot(for: release.releaseID)
            let messages = Mutex<[String]>([])
            _ = try await release.builder.build(release.resolution([tool]), task: release.task) { message, _ in
                messages.withLock { $0.append(message) }
            }
            #expect(
                messages.withLock { $0 } == [
                    "unpacking 1 of 1 packages of the crash", "linking 1 packages into a root",
                ])
        }
    }

    @Test func storeThatCannotBeWrittenIsTriedAgain() async throws {
        try await DebianRelease.with { release in
            let tool = try await release.add(TestPackage("tool", "1-1", ["usr/bin/tool": .text("tool")]))
            _ = try await release.builder.debuggerRoot(for: release.releaseID)
            try write([1], to: release.roots)
            await #expect {
                try await release.builder.build(release.resolution([tool]), task: release.task)
            } throws: { error in
                (error as? StageError)?.disposition == .retry(after: .seconds(60))
            }
        }
    }
}

extension DebianRelease {
    fileprivate var roots: FilePath { directory.appending("store/roots") }
}
