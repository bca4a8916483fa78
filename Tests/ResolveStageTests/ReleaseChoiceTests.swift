import CrashModel
import Packages
import ResolveStage
import SystemPackage
import TestFixtures
import Testing

struct ReleaseChoiceTests {
    private func published(_ releaseID: String, in directory: FilePath, executable number: UInt8) throws -> MadeRelease
    {
        var made = try MadeRelease(releaseID, in: directory)
        try made.add("made", [binary("/usr/bin/made", number)])
        try made.publish()
        return made
    }

    private func failure(_ crash: Crash, in directory: FilePath) throws -> StageError? {
        #expect(throws: StageError.self) {
            try resolve(crash, catalog: shippedCatalog(), indexes: PackageIndexes(repositories: directory))
        }
    }

    @Test func theUploadedReleaseComesFirst() throws {
        try ScratchDirectory.with { directory in
            let made = try published("debian-12-x86_64", in: directory, executable: 1)
            _ = try published("debian-13-x86_64", in: directory, executable: 1)
            let found = try resolve(
                crash([module("/usr/bin/made", 1, .executable)]), catalog: shippedCatalog(), indexes: made.indexes)
            #expect(found.releaseID?.description == "debian-12-x86_64")
            #expect(found.releaseEvidence.contains("os_release"))
        }
    }

    @Test func withoutOneThePackageNotesTellTheRelease() throws {
        try ScratchDirectory.with { directory in
            let made = try published("fedora-40-x86_64", in: directory, executable: 1)
            let note = PackageNote(
                type: "rpm", name: "made", version: "1", architecture: nil, osCPE: "cpe:/o:fedoraproject:fedora:40")
            let found = try resolve(
                crash([module("/usr/bin/made", 1, .executable, note: note)], reported: ReportedCrash()),
                catalog: shippedCatalog(), indexes: made.indexes)
            #expect(found.releaseID?.description == "fedora-40-x86_64")
            #expect(found.releaseEvidence.contains("package notes"))
        }
    }

    @Test func withoutThoseTheOnlyReleaseThatKnowsTheExecutableIsTaken() throws {
        try ScratchDirectory.with { directory in
            let made = try published("debian-12-x86_64", in: directory, executable: 1)
            _ = try published("debian-13-x86_64", in: directory, executable: 2)
            _ = try published("debian-12-aarch64", in: directory, executable: 1)
            let found = try resolve(
                crash([module("/usr/bin/made", 1, .executable)], reported: ReportedCrash()), catalog: shippedCatalog(),
                indexes: made.indexes)
            #expect(found.releaseID?.description == "debian-12-x86_64")
            #expect(found.releaseEvidence.contains("only mirrored one"))
        }
    }

    @Test func aReleaseThatNothingTellsIsAnErrorThatListsTheKnownOnes() throws {
        try ScratchDirectory.with { directory in
            _ = try published("debian-12-x86_64", in: directory, executable: 1)
            _ = try published("debian-13-x86_64", in: directory, executable: 1)
            let reported = ReportedCrash(osRelease: "Haiku R1\nsecond line")
            let error = try failure(crash([module("/usr/bin/made", 1, .executable)], reported: reported), in: directory)
            #expect(error?.code == .unknownRelease)
            #expect(error?.disposition == .failed)
            #expect(error?.reason.contains("'Haiku R1'") == true)
            #expect(error?.reason.contains("debian-12-x86_64, debian-13-x86_64") == true)
            #expect(error?.advice?.contains("os_release") == true)
        }
    }

    @Test func aKnownReleaseThatIsNotMirroredIsAnErrorWithTheCommandThatMirrorsIt() throws {
        try ScratchDirectory.with { directory in
            _ = try published("debian-13-x86_64", in: directory, executable: 1)
            let error = try failure(crash([module("/usr/bin/made", 1, .executable)]), in: directory)
            #expect(error?.code == .releaseNotMirrored)
            #expect(error?.reason.contains("debian-12-x86_64") == true)
            #expect(error?.advice?.contains("retrace sync debian 12 x86_64") == true)
        }
    }

    @Test func aReleaseThatNoPluginListsIsAnErrorThatSaysWhichAreMirrored() throws {
        try ScratchDirectory.with { directory in
            _ = try published("debian-12-x86_64", in: directory, executable: 1)
            let reported = ReportedCrash(osRelease: "Fedora release 16 (Verne)")
            let error = try failure(crash([module("/usr/bin/made", 1, .executable)], reported: reported), in: directory)
            #expect(error?.code == .unknownRelease)
            #expect(error?.reason.contains("fedora-16-x86_64") == true)
            #expect(error?.reason.contains("Mirrored are: debian-12-x86_64.") == true)
        }
    }

    @Test func a32BitProgramIsFoundAmongThePackagesOf64BitFedora() throws {
        try ScratchDirectory.with { directory in
            var made = try MadeRelease("fedora-40-x86_64", in: directory)
            try made.add("made", architecture: "i686", [binary("/usr/bin/made", 1)])
            try made.add("made", architecture: "x86_64", [binary("/usr/bin/made", 1)])
            try made.publish()
            let found = try resolve(
                crash(
                    [module("/usr/bin/made", 1, .executable)],
                    reported: ReportedCrash(osRelease: "Fedora release 40 (Forty)"), architecture: .i386),
                catalog: shippedCatalog(), indexes: made.indexes)
            #expect(found.modules[0].binary?.nevra.architecture == "i686")
        }
    }

    @Test func theReasonOfAFailedSynchronisationIsInTheError() throws {
        try ScratchDirectory.with { directory in
            let made = try MadeRelease(in: directory)
            try SyncStatus(
                finishedAt: 0, failure: "the archive's signature is not ours", packageCount: 0, byteCount: 0,
                lastSuccessAt: nil
            ).write(to: made.mirror)
            let error = try failure(crash([module("/usr/bin/made", 1, .executable)]), in: directory)
            #expect(error?.reason.contains("the archive's signature is not ours.") == true)
        }
    }

    @Test func anIndexThatIsDamagedIsTriedAgain() throws {
        try ScratchDirectory.with { directory in
            let made = try MadeRelease(in: directory)
            let file = try FileDescriptor.open(
                made.mirror.index, .writeOnly, options: .create, permissions: .ownerReadWrite)
            try file.closeAfter { _ = try file.writeAll([UInt8](repeating: 0x41, count: 8192)) }
            let error = try failure(crash([module("/usr/bin/made", 1, .executable)]), in: directory)
            #expect(error?.code == .indexUnusable)
            #expect(error?.disposition == .retry(after: .seconds(60)))
            #expect(error?.reason.contains(directory.string) == false)
        }
    }

    @Test func theAgeOfTheMirrorIsInTheReasonOfAnUnknownBuildID() throws {
        try ScratchDirectory.with { directory in
            let made = try published("debian-12-x86_64", in: directory, executable: 1)
            try SyncStatus(
                finishedAt: 1_700_000_000, failure: nil, packageCount: 1, byteCount: 1, lastSuccessAt: 1_700_000_000
            ).write(to: made.mirror)
            let found = try resolve(
                crash([module("/opt/other", 9, .executable)]), catalog: shippedCatalog(), indexes: made.indexes)
            #expect(found.modules[0].status == .unknown)
            #expect(found.modules[0].reason?.contains("last synchronised at 2023-11-14T22:13:20Z") == true)
        }
    }

    @Test func releaseWhoseSynchronisationFailedIsNotToldAsAnUnknownPackage() throws {
        try ScratchDirectory.with { directory in
            let made = try published("debian-12-x86_64", in: directory, executable: 1)
            let status = SyncStatus(
                finishedAt: 1_700_000_000, failure: "No mirror gave the index.", packageCount: 1, byteCount: 1,
                lastSuccessAt: 1_600_000_000)
            try status.write(to: made.mirror)
            let found = try resolve(
                crash([module("/usr/bin/other", 7, .executable)]), catalog: shippedCatalog(), indexes: made.indexes)
            #expect(found.modules[0].reason?.contains("since the last synchronisation failed") == true)
            #expect(found.remarks.contains { $0.contains("No mirror gave the index.") })
        }
    }

    @Test func releaseThatWasNeverSynchronisedSaysWhyAndNotThatThePackageIsUnknown() throws {
        try ScratchDirectory.with { directory in
            let empty = try MadeRelease("debian-12-x86_64", in: directory)
            let status = SyncStatus(
                finishedAt: 1_700_000_000, failure: "The key has expired.", packageCount: 0, byteCount: 0,
                lastSuccessAt: nil)
            try status.write(to: empty.mirror)
            let error = try failure(crash([module("/usr/bin/made", 1, .executable)]), in: directory)
            #expect(error?.code == .releaseNotMirrored)
            #expect(error?.reason.contains("Its last synchronisation failed: The key has expired.") == true)
        }
    }

    @Test func moduleOfAnotherReleaseIsFoundThereByItsBuildID() throws {
        try ScratchDirectory.with { directory in
            let made = try published("debian-12-x86_64", in: directory, executable: 1)
            var other = try MadeRelease("fedora-40-x86_64", in: directory)
            try other.add("unrelated", [binary("/usr/bin/unrelated", 8)])
            try other.add("hostlib", [binary("/usr/lib64/libhost.so", 2), binary("/usr/bin/hosttool", 3)])
            try other.add("hostlib-debuginfo", source: "hostlib", [debug(2)])
            try other.publish()
            let found = try resolve(
                crash([
                    module("/usr/bin/made", 1, .executable), module("/usr/lib64/libhost.so", 2),
                    module("/usr/lib/nowhere.so", 9),
                ]), catalog: shippedCatalog(), indexes: made.indexes)
            #expect(found.releaseID?.description == "debian-12-x86_64")
            #expect(found.modules.map(\.status) == [.withoutDebuginfo, .complete, .unknown])
            #expect(found.modules[1].binary?.nevra.name == "hostlib")
            let adopted = found.packages.filter { $0.releaseID != nil }
            #expect(adopted.map(\.nevra.name) == ["hostlib", "hostlib-debuginfo"])
            #expect(adopted.allSatisfy { $0.releaseID?.description == "fedora-40-x86_64" })
            // Of the other release only what was loaded: the rest could hide the crash's own files.
            #expect(adopted[0].files == ["/usr/lib64/libhost.so"])
            #expect(found.remarks.contains { $0.contains("One module is of fedora-40-x86_64") })
        }
    }

    @Test func damagedIndexOfAnotherReleaseDoesNotCostTheCrash() throws {
        try ScratchDirectory.with { directory in
            let made = try published("debian-12-x86_64", in: directory, executable: 1)
            let other = try published("fedora-40-x86_64", in: directory, executable: 2)
            try FolderContents.write("no database at all".utf8, to: other.mirror.index)
            let found = try resolve(
                crash([module("/usr/bin/made", 1, .executable), module("/usr/lib/nowhere.so", 9)]),
                catalog: shippedCatalog(), indexes: made.indexes)
            #expect(found.modules.map(\.status) == [.withoutDebuginfo, .unknown])
        }
    }
}
