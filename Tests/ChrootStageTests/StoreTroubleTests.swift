import CrashModel
import Packages
import SystemPackage
import Testing

@testable import ChrootStage

@Suite struct StoreTroubleTests {
    @Test(arguments: [Errno.noSpace, .diskQuotaExceeded])
    func fullDiskIsTriedAgain(_ errno: Errno) {
        let error = StageError.system(errno, doing: "building the crash root")
        #expect(error.code == .diskFull && error.disposition == .retry(after: .seconds(60)))
        #expect(StageError(storeTrouble: .diskFull) == error)
    }

    @Test(arguments: [
        PackageStoreError.altered(expected: "a", found: "b"), .invalidChecksum("x"), .unpackable("cut"),
        .unreadable("gone"),
    ])
    func troubleOfOnePackageIsNotTheStores(_ error: PackageStoreError) {
        #expect(StageError(storeTrouble: error) == nil)
    }

    @Test func architectureOfTheHostIsKnown() throws {
        let host = try #require(Architecture.host)
        #expect(host.runs(on: host))
        #expect(Architecture.i386.runs(on: .x86_64) && !Architecture.x86_64.runs(on: .i386))
        #expect(!Architecture.s390x.runs(on: nil))
    }
}
