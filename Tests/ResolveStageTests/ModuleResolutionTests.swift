import CrashModel
import Packages
import ResolveStage
import SystemPackage
import TestFixtures
import Testing

struct ModuleResolutionTests {
    private func resolution(
        _ modules: [LoadedModule], package: String? = nil, _ fill: (inout MadeRelease) throws -> Void
    ) throws -> Resolution {
        try ScratchDirectory.with { directory in
            var made = try MadeRelease(in: directory)
            try fill(&made)
            try made.publish()
            let reported = ReportedCrash(package: package, osRelease: "Debian GNU/Linux 12 (bookworm)")
            let resolution = try resolve(
                crash(modules, reported: reported), catalog: shippedCatalog(), indexes: made.indexes)
            expectInvariants(resolution, modules)
            return resolution
        }
    }

    /// What holds of every answer.
    private func expectInvariants(_ resolution: Resolution, _ modules: [LoadedModule]) {
        #expect(resolution.modules.map(\.module) == modules)
        for module in resolution.modules {
            #expect((module.reason == nil) == (module.status == .complete))
            if module.status == .complete { #expect(module.binary != nil && module.debuginfo != nil) }
            if module.status == .withoutDebuginfo { #expect(module.binary != nil && module.debuginfo == nil) }
            if module.status == .withoutBinary { #expect(module.binary == nil && module.debuginfo != nil) }
            if [.unknown, .unidentified, .virtual].contains(module.status) {
                #expect(module.binary == nil && module.debuginfo == nil)
            }
            for file in [module.binary, module.debuginfo].compactMap({ $0 }) {
                let package = resolution.packages.first { $0.nevra == file.nevra }
                #expect(package?.files?.contains(file.path) ?? (package != nil))
            }
        }
        #expect(resolution.statusCounts.values.reduce(0, +) == modules.count)
        #expect(Set(resolution.packages.map(\.sha256)).count == resolution.packages.count)
    }

    @Test func aModuleWithBothFilesIsCompleteAndTheVdsoIsNeverMissing() throws {
        let found = try resolution([
            module("/usr/bin/made", 1, .executable), module("linux-vdso.so.1", 99, .virtual),
        ]) { made in
            try made.add("made", [binary("/usr/bin/made", 1)])
            try made.add("made-dbg", source: "made", [debug(1), debug(2)])
        }
        #expect(found.modules.map(\.status) == [.complete, .virtual])
        #expect(found.packages.map(\.nevra.name) == ["made", "made-dbg"])
        #expect(found.packages.map(\.role) == [.binary, .debuginfo])
        #expect(found.packages[0].files == nil)
        #expect(found.packages[1].files == [try buildID(1).debugPath])
        #expect(found.incomplete.isEmpty)
        #expect(found.crashedPackage?.name == "made")
        #expect(found.facts["modules"] == "1")
        #expect(found.facts["modules_complete"] == "1")
        #expect(found.report.count == 3)
    }

    @Test func everyWayOfMissingHasItsOwnStatusAndReason() throws {
        let found = try resolution([
            module("/usr/bin/made", 1, .executable), module("/usr/lib/libstripped.so", 2),
            module("/usr/lib/libgone.so", 3), module("/usr/lib/libalien.so", 4), module("/memfd:jit", nil),
            module("/usr/lib/libpartial.so", 5),
        ]) { made in
            try made.add("made", [binary("/usr/bin/made", 1)])
            try made.add("made-dbg", source: "made", [debug(1)])
            try made.add("stripped", [binary("/usr/lib/libstripped.so", 2)])
            try made.add("gone-dbgsym", source: "gone", [debug(3)])
            try made.add("alien", "9.0-1", [binary("/usr/lib/libalien.so", 40)])
            try made.add("partial", source: "made", [binary("/usr/lib/libpartial.so", 5)])
        }
        #expect(
            found.modules.map(\.status) == [
                .complete, .withoutDebuginfo, .withoutBinary, .unknown, .unidentified, .withoutDebuginfo,
            ])
        let reasons = found.modules.map { $0.reason ?? "" }
        #expect(reasons[1].contains("No debuginfo package of stripped 1.0-1 is mirrored"))
        #expect(reasons[2].contains("gone-dbgsym-1.0-1.amd64"))
        #expect(reasons[3].contains("build-id \(try buildID(4))"))
        #expect(reasons[3].contains("alien-9.0-1.amd64"))
        #expect(reasons[4].contains("no build-id"))
        #expect(reasons[5].contains("made-dbg-1.0-1.amd64"))
        #expect(found.incomplete.count == 5)
    }

    @Test func aBuildIDOfSeveralVersionsGoesWithTheOtherModules() throws {
        // The library did not change between the versions, the program did.
        let found = try resolution([module("/usr/bin/made", 1, .executable), module("/usr/lib/libmade.so", 2)]) {
            made in
            for (version, program) in [("1.0-1", UInt8(1)), ("1.0-2", 11), ("1.0-3", 12)] {
                try made.add("made", version, source: "made", [binary("/usr/bin/made", program)])
                try made.add("libmade", version, source: "made", [binary("/usr/lib/libmade.so", 2)])
                try made.add("made-dbg", version, source: "made", [debug(program), debug(2)])
            }
        }
        #expect(found.modules.map { $0.binary?.nevra.versionText } == ["1.0-1", "1.0-1"])
        #expect(found.modules.map { $0.debuginfo?.nevra.versionText } == ["1.0-1", "1.0-1"])
        #expect(found.packages.count == 3)
        #expect(found.remarks.isEmpty)
    }

    @Test func withoutOtherEvidenceTheUploadedPackageDecidesThenTheNoteThenTheNewest() throws {
        func version(package: String?, note: String?) throws -> (String?, [String]) {
            let note = note.map {
                PackageNote(type: "deb", name: "made", version: $0, architecture: nil, osCPE: nil)
            }
            let found = try resolution([module("/usr/bin/made", 1, .executable, note: note)], package: package) {
                made in
                for version in ["1.0-9", "1.0-10", "1.0-2"] {
                    try made.add("made", version, [binary("/usr/bin/made", 1)])
                }
            }
            return (found.modules[0].binary?.nevra.versionText, found.remarks)
        }
        #expect(try version(package: "made-1.0-9", note: "1.0-2").0 == "1.0-9")
        #expect(try version(package: "made 1.0-9", note: nil).1.isEmpty)
        #expect(try version(package: nil, note: "1.0-2").0 == "1.0-2")
        let (newest, remarks) = try version(package: nil, note: nil)
        #expect(newest == "1.0-10")
        #expect(remarks.count == 1)
        #expect(remarks.first?.contains("made-1.0-9.amd64") == true)
    }

    /// Mirrors on first need: nobody has read the packages, so that only the symbols have build-ids.
    @Test func packagesOnFirstNeedAreFoundByTheirSymbolsOrByTheirPath() throws {
        try ScratchDirectory.with { directory in
            var made = try MadeRelease(in: directory)
            try made.add(
                "prog-minimal", "1-1", source: "prog", offeredBy: "main", [binary("/usr/bin/prog", nil)])
            try made.add("prog-dbg", "1-1", source: "prog", offeredBy: "main", [debug(1)])
            try made.add("libplain", "1-1", offeredBy: "main", [binary("/usr/lib/libplain.so.1", nil)])
            try made.add("libplain", "2-1", offeredBy: "main", [binary("/usr/lib/libplain.so.1", nil)])
            try made.add("named", "1-1", offeredBy: "main", [])
            try made.add("named-dbgsym", "1-1", source: "named", offeredBy: "main", [debug(3)])
            try made.add("mirrored", "1-1", [binary("/usr/lib/libmirrored.so", 7)])
            try made.publish()
            let found = try resolve(
                crash([
                    module("/usr/bin/prog", 1, .executable), module("/usr/lib/libplain.so.1", 2),
                    module("/usr/lib/libnamed.so", 3), module("/usr/lib/libmirrored.so", 8),
                ]), catalog: shippedCatalog(), indexes: made.indexes)
            #expect(found.modules.map(\.status) == [.complete, .unverified, .complete, .unknown])
            #expect(found.modules[0].binary?.nevra.name == "prog-minimal")
            #expect(found.modules[1].binary?.nevra.version == "2")
            #expect(found.modules[1].reason?.contains("its build-id is compared when it is there") == true)
            #expect(found.modules[2].binary?.nevra.name == "named")
            let wanted = try packagesToFetch(of: found, indexes: made.indexes)
            #expect(
                Set(wanted.map(\.nevra.name)) == ["prog-minimal", "prog-dbg", "libplain", "named", "named-dbgsym"])
        }
    }

    @Test func aFileOfAnotherArchitectureIsNotTaken() throws {
        let found = try resolution([module("/usr/bin/made", 1, .executable)]) { made in
            try made.add("made", architecture: "i386", [binary("/usr/bin/made", 1)])
        }
        #expect(found.modules.map(\.status) == [.unknown])
    }

    @Test func aModuleWithoutBuildIDIsFoundByPathInTheChosenVersionAndMarked() throws {
        let found = try resolution([
            module("/usr/bin/made", 1, .executable), module("/lib/libmade.so", nil),
        ]) { made in
            for (version, number) in [("1.0-1", UInt8(1)), ("2.0-1", 11)] {
                try made.add("made", version, source: "made", [binary("/usr/bin/made", number)])
                try made.add("libmade", version, source: "made", [binary("/lib/libmade.so", number + 1)])
                try made.add("made-dbg", version, source: "made", [debug(number), debug(number + 1)])
            }
        }
        #expect(found.modules.map(\.status) == [.complete, .unverified])
        #expect(found.modules[1].binary?.nevra.description == "libmade-1.0-1.amd64")
        #expect(found.modules[1].debuginfo?.path == (try buildID(2).debugPath))
    }

    @Test func debuginfoByPathIsOnlyTakenFromTheSameSourceAndMarked() throws {
        let debugFile = IndexedPath(path: "/usr/lib/debug/lib/libmade.so", kind: .debugByPath)
        let found = try resolution([module("/lib/libmade.so", 1, .executable)]) { made in
            try made.add("libmade", "1.0-1", source: "made", [binary("/lib/libmade.so", 1)])
            try made.add("made-dbg", "2.0-1", source: "made", [debugFile])
            try made.add("made-dbg", "1.0-1", source: "made", [debugFile])
        }
        #expect(found.modules.map(\.status) == [.unverified])
        #expect(found.modules[0].debuginfo?.nevra.versionText == "1.0-1")
        #expect(found.modules[0].debuginfo?.path == "/usr/lib/debug/lib/libmade.so")
    }

    @Test func debuginfoByPathWithAnotherBuildIDIsRefused() throws {
        let found = try resolution([module("/usr/lib/libmade.so", 1, .executable)]) { made in
            try made.add("libmade", source: "made", [binary("/usr/lib/libmade.so", 1)])
            let debugFile = IndexedPath(
                path: "/usr/lib/debug/usr/lib/libmade.so", kind: .debugByPath, buildID: try buildID(7))
            try made.add("made-dbg", source: "made", [debugFile])
        }
        #expect(found.modules.map(\.status) == [.withoutDebuginfo])
    }

    @Test func sharedDWARFAndAutoLoadedScriptsComeWithTheDebuginfo() throws {
        let found = try resolution([module("/usr/bin/made", 1, .executable)]) { made in
            try made.add("made", [binary("/usr/bin/made", 1)])
            try made.add(
                "made-dbg", source: "made",
                [
                    debug(1), debug(2),
                    IndexedPath(path: "/usr/lib/debug/.dwz/x86_64-linux-gnu/made.debug", kind: .dwz),
                    IndexedPath(path: "/usr/share/gdb/auto-load/usr/bin/made-gdb.py", kind: .autoLoad),
                ])
        }
        #expect(
            found.packages.first { $0.role == .debuginfo }?.files == [
                try buildID(1).debugPath, "/usr/lib/debug/.dwz/x86_64-linux-gnu/made.debug",
                "/usr/share/gdb/auto-load/usr/bin/made-gdb.py",
            ])
    }

    @Test func linksOfAnRPMBringTheirTargetsAndTheSharedDWARFOfTheSourcePackage() throws {
        let found = try resolution([module("/usr/bin/two", 1, .executable)]) { made in
            try made.add("made-two", source: "made", [binary("/usr/bin/two", 1)])
            try made.add(
                "made-two-debuginfo", source: "made", [debug(1, target: "/usr/lib/debug/usr/bin/two.debug")])
            try made.add(
                "made-debuginfo", source: "made", [IndexedPath(path: "/usr/lib/debug/.dwz/made", kind: .dwz)])
            try made.add(
                "other-debuginfo", source: "other", [IndexedPath(path: "/usr/lib/debug/.dwz/other", kind: .dwz)])
        }
        let files = Dictionary(
            uniqueKeysWithValues: found.packages.filter { $0.role == .debuginfo }.map { ($0.nevra.name, $0.files) })
        #expect(
            files == [
                "made-two-debuginfo": [try buildID(1).debugPath, "/usr/lib/debug/usr/bin/two.debug"],
                "made-debuginfo": ["/usr/lib/debug/.dwz/made"],
            ])
    }

    @Test func anRPMKnownOnlyByItsLinksIsFound() throws {
        let found = try resolution([module("/usr/bin/made", 1, .executable)]) { made in
            let buildID = try buildID(1)
            let link = IndexedPath(
                path: "/usr/lib/.build-id/\(buildID.pathComponents)", kind: .buildIDLink, buildID: buildID)
            try made.add("made", source: "made", [link])
            try made.add("made-debuginfo", source: "made", [debug(1)])
        }
        #expect(found.modules.map(\.status) == [.complete])
        #expect(found.modules[0].binary?.path == "/usr/bin/made")
    }

    @Test func twoVersionsOfAPackageInOneProcessGiveOnlyTheirLoadedFiles() throws {
        let found = try resolution([
            module("/usr/bin/made", 1, .executable), module("/usr/lib/made/old.so", 2),
        ]) { made in
            try made.add("made", "2.0-1", [binary("/usr/bin/made", 1), binary("/usr/lib/made/old.so", 12)])
            try made.add("made", "1.0-1", [binary("/usr/bin/made", 11), binary("/usr/lib/made/old.so", 2)])
        }
        #expect(found.modules.map { $0.binary?.nevra.versionText } == ["2.0-1", "1.0-1"])
        #expect(found.packages.map(\.files) == [["/usr/bin/made"], ["/usr/lib/made/old.so"]])
        #expect(found.remarks.contains { $0.contains("several versions") })
    }

    @Test func thePackageOfAScriptIsInTheRootBesideItsInterpreter() throws {
        let found = try resolution([module("/usr/bin/python3", 1, .executable)], package: "my-tool-2.0-1.all") { made in
            try made.add("python3", [binary("/usr/bin/python3", 1)])
            for version in ["1.0-1", "2.0-1"] {
                try made.add(
                    "my-tool", version, architecture: "all", [IndexedPath(path: "/usr/bin/my-tool", kind: .script)])
            }
        }
        #expect(found.packages.map(\.nevra.description) == ["python3-1.0-1.amd64", "my-tool-2.0-1.all"])
        #expect(found.remarks.contains { $0.contains("my-tool-2.0-1.all") })
    }

    @Test func anUploadedPackageOfAnotherVersionThanTheCoreIsNotAdded() throws {
        let found = try resolution([module("/usr/bin/made", 1, .executable)], package: "made-2.0-1") { made in
            try made.add("made", "1.0-1", [binary("/usr/bin/made", 1)])
            try made.add("made", "2.0-1", [binary("/usr/bin/made", 2)])
        }
        #expect(found.packages.map(\.nevra.versionText) == ["1.0-1"])
        #expect(found.remarks.contains { $0.contains("another version") })
    }

    @Test func anUploadedPackageThatIsNotMirroredIsRemarkedWithoutItsControlCharacters() throws {
        let found = try resolution([module("/usr/bin/made", 1, .executable)], package: "evil\u{1b}[31m-1-1") { made in
            try made.add("made", [binary("/usr/bin/made", 1)])
        }
        #expect(found.remarks.count == 1)
        #expect(found.remarks[0].contains("evil?[31m"))
    }

    @Test func aCrashWithoutModulesHasAnEmptyAnswer() throws {
        let found = try resolution([]) { made in try made.add("made", [binary("/usr/bin/made", 1)]) }
        #expect(found.packages.isEmpty)
        #expect(found.crashedPackage == nil)
    }
}
