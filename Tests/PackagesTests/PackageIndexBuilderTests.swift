import CrashModel
import SystemPackage
import TestFixtures
import Testing

@testable import Packages

struct PackageIndexBuilderTests {
    @Test func unchangedPackagesAreCarriedOverWithTheirFiles() throws {
        try ScratchDirectory.with { directory in
            let made = try MadeMirror(in: directory)
            try made.publishInvented(count: 20)
            let before = try #require(try PackageIndex(made.mirror))
            let builder = try PackageIndexBuilder(for: made.mirror)
            // In another order and with one left out, so that the numbers of the rows change.
            for number in (0..<20).reversed() where number != 5 {
                #expect(try builder.carryOver(made.invented(number).0))
            }
            let (new, files) = try made.invented(20)
            #expect(try !builder.carryOver(new))
            try builder.add(new, files: files)
            let summary = try builder.publish()
            #expect(summary.packageCount == 20)
            #expect(summary.buildIDCount == 20)
            let after = try #require(try PackageIndex(made.mirror))
            for number in 0..<20 where number != 5 {
                let buildID = try inventedBuildID(number)
                #expect(try after.files(with: buildID) == before.files(with: buildID))
                let path = "/usr/lib/x86_64-linux-gnu/lib\(number).so.1"
                #expect(try after.files(at: path) == before.files(at: path))
            }
            #expect(try after.files(with: inventedBuildID(5)).isEmpty)
            #expect(try after.files(with: inventedBuildID(20)).count == 2)
        }
    }

    @Test func aPackageThatComesTwiceIsThereOnce() throws {
        try ScratchDirectory.with { directory in
            let made = try MadeMirror(in: directory)
            let builder = try PackageIndexBuilder(for: made.mirror)
            let (package, files) = try made.invented(1)
            try builder.add(package, files: files)
            try builder.add(package, files: files)
            #expect(try builder.publish().packageCount == 1)
            let index = try #require(try PackageIndex(made.mirror))
            #expect(try index.files(with: inventedBuildID(1)).count == 2)
        }
    }

    @Test func whatADeadProcessLeftIsDeletedADayLater() throws {
        try ScratchDirectory.with { directory in
            let made = try MadeMirror(in: directory)
            let old = FilePath(made.mirror.index.string + ".1.2.tmp")
            let recent = FilePath(made.mirror.index.string + ".3.4.tmp")
            for file in [old, recent] { try write("half an index", to: file) }
            try setLastUse(old, secondsAgo: 100_000)
            try made.publishInvented(count: 1)
            #expect(!exists(old))
            #expect(exists(recent))
        }
    }

    @Test func anAbandonedBuilderLeavesThePublishedIndexAndNoFileBehind() throws {
        try ScratchDirectory.with { directory in
            let made = try MadeMirror(in: directory)
            try made.publishInvented(count: 1)
            do {
                let builder = try PackageIndexBuilder(for: made.mirror)
                try builder.add(made.invented(2).0, files: [])
            }
            #expect(try namesInDirectory(made.mirror.path).sorted() == ["index.sqlite", "pool"])
            #expect(try PackageIndex(made.mirror)?.summary.packageCount == 1)
        }
    }
}
