import CrashModel
import Packages
import ResolveStage
import SystemPackage
import TestFixtures
import Testing

struct KernelResolutionTests {
    private func kernelCrash(
        _ release: String?, _ number: UInt8?, reported: ReportedCrash = ReportedCrash(),
        architecture: Architecture = .x86_64
    ) throws -> Crash {
        let ran: BuildID? = try number.map { try buildID($0) }
        let path = "/boot/vmlinuz-\(release ?? "unknown")"
        return Crash(
            kind: .vmcore, architecture: architecture, reported: reported, executable: path, threadCount: 0,
            modules: [LoadedModule(path: path, buildID: ran, start: 0, end: 0, kind: .executable)],
            kernel: KernelDump(
                format: .kdump, release: try release.map { try KernelRelease($0) }, releaseEvidence: "VMCOREINFO.",
                buildID: ran))
    }

    private let debianRelease = "6.1.0-56-cloud-amd64"
    private let debianPath = "/usr/lib/debug/boot/vmlinux-6.1.0-56-cloud-amd64"

    private func vmlinux(_ path: String, _ number: UInt8?) throws -> IndexedPath {
        IndexedPath(path: path, kind: .debugByPath, buildID: try number.map { try buildID($0) })
    }

    @Test func aKernelIsFoundByItsBuildIDInWhateverReleaseHasIt() throws {
        try ScratchDirectory.with { directory in
            var other = try MadeRelease("debian-13-x86_64", in: directory)
            try other.add("other", [binary("/usr/bin/other", 9)])
            try other.publish()
            var made = try MadeRelease("debian-12-x86_64", in: directory)
            try made.add("linux-image-\(debianRelease)-dbg", [vmlinux(debianPath, 1)])
            try made.publish()
            let found = try resolve(
                kernelCrash(debianRelease, 1), catalog: shippedCatalog(), indexes: made.indexes)
            #expect(found.releaseID?.description == "debian-12-x86_64")
            #expect(found.modules.map(\.status) == [.complete])
            #expect(found.modules.first?.debuginfo?.path == debianPath)
            #expect(
                found.packages.first?.files == [debianPath, "/usr/lib/debug/lib/modules/6.1.0-56-cloud-amd64/"])
        }
    }

    @Test func theBuildIDNameOfARPMLeadsToItsVmlinux() throws {
        try ScratchDirectory.with { directory in
            let path = "/usr/lib/debug/lib/modules/6.8.5-301.fc40.x86_64/vmlinux"
            var made = try MadeRelease("fedora-40-x86_64", in: directory)
            try made.add(
                "kernel-debuginfo", "6.8.5-301.fc40", architecture: "x86_64", [debug(1, target: path)])
            try made.publish()
            let found = try resolve(
                kernelCrash("6.8.5-301.fc40.x86_64", 1), catalog: shippedCatalog(), indexes: made.indexes)
            #expect(found.modules.first?.debuginfo?.path == path)
            #expect(
                found.packages.first?.files == [path, "/usr/lib/debug/lib/modules/6.8.5-301.fc40.x86_64/"])
            #expect(found.releaseEvidence.contains("fedora-40"))
        }
    }

    @Test func aDumpWithoutABuildIDIsFoundByNameAndMarkedSo() throws {
        try ScratchDirectory.with { directory in
            var made = try MadeRelease(in: directory)
            try made.add("linux-image-\(debianRelease)-dbg", [vmlinux(debianPath, 1)])
            try made.publish()
            let found = try resolve(
                kernelCrash(debianRelease, nil), catalog: shippedCatalog(), indexes: made.indexes)
            #expect(found.modules.map(\.status) == [.unverified])
            #expect(found.modules.first?.reason?.contains("by its name") == true)
        }
    }

    @Test func aKernelOfThatNameButAnotherBuildIsNotTaken() throws {
        try ScratchDirectory.with { directory in
            var made = try MadeRelease(in: directory)
            try made.add("linux-image-\(debianRelease)-dbg", [vmlinux(debianPath, 2)])
            try made.publish()
            let found = try resolve(
                kernelCrash(debianRelease, 1), catalog: shippedCatalog(), indexes: made.indexes)
            #expect(found.modules.map(\.status) == [.unknown])
            #expect(found.packages.isEmpty)
            #expect(found.modules.first?.reason?.contains("another build") == true)
        }
    }

    @Test func aPackageThatIsFetchedOnFirstNeedIsFoundByItsName() throws {
        try ScratchDirectory.with { directory in
            var made = try MadeRelease(in: directory)
            try made.add("linux-image-\(debianRelease)-dbg", "6.1.192-2", offeredBy: "main", [])
            try made.publish()
            let found = try resolve(
                kernelCrash(debianRelease, 1), catalog: shippedCatalog(), indexes: made.indexes)
            #expect(found.packages.map(\.nevra.name) == ["linux-image-\(debianRelease)-dbg"])
            #expect(found.modules.map(\.status) == [.unverified])
        }
    }

    @Test func aKernelThatNobodyHasIsAnAnswerWithTheReason() throws {
        try ScratchDirectory.with { directory in
            var made = try MadeRelease(in: directory)
            try made.add("other", [binary("/usr/bin/other", 9)])
            try made.publish()
            let found = try resolve(
                kernelCrash("9.9.9-custom", 1), catalog: shippedCatalog(), indexes: made.indexes)
            #expect(found.releaseID?.description == "debian-12-x86_64")
            #expect(found.modules.map(\.status) == [.unknown])
            #expect(found.modules.first?.reason?.contains("9.9.9-custom") == true)
        }
    }

    /// Its log can be read all the same.
    @Test func aKernelOfAnArchitectureThatNoPluginHasIsAnAnswerWithTheReason() throws {
        try ScratchDirectory.with { directory in
            let found = try resolve(
                kernelCrash("6.8.5-301.custom", 1, architecture: .ppc64), catalog: shippedCatalog(),
                indexes: PackageIndexes(repositories: directory))
            #expect(found.releaseID == nil && found.packages.isEmpty)
            #expect(found.releaseEvidence.contains("No plugin of this server has kernels of ppc64"))
            #expect(found.summary == found.releaseEvidence && found.facts["release"] == nil)
            #expect(found.modules.map(\.status) == [.unknown])
        }
    }

    /// What a lazy mirror offers may be any build, and another release may have the very one.
    @Test func theBuildIDIsLookedForEverywhereBeforeAnyName() throws {
        try ScratchDirectory.with { directory in
            var lazy = try MadeRelease("debian-12-x86_64", in: directory)
            try lazy.add("linux-image-\(debianRelease)-dbg", "6.1.192-2", offeredBy: "main", [])
            try lazy.publish()
            var other = try MadeRelease("debian-13-x86_64", in: directory)
            try other.add("linux-image-\(debianRelease)-dbg", [vmlinux(debianPath, 1)])
            try other.publish()
            let reported = ReportedCrash(osRelease: "Debian GNU/Linux 12 (bookworm)")
            let found = try resolve(
                kernelCrash(debianRelease, 1, reported: reported), catalog: shippedCatalog(), indexes: lazy.indexes)
            #expect(found.releaseID?.description == "debian-13-x86_64")
            #expect(found.modules.map(\.status) == [.complete])
        }
    }

    @Test func ofSeveralOfferedPackagesTheNewestIsTakenWithAllPlacesOfItsVmlinux() throws {
        try ScratchDirectory.with { directory in
            let release = "6.4.0-150600.23.25-default"
            var made = try MadeRelease("opensuse-15.6-x86_64", in: directory)
            for rebuild in ["1", "10", "2"] {
                try made.add(
                    "kernel-default-debuginfo", "6.4.0-150600.23.25.\(rebuild)", architecture: "x86_64",
                    offeredBy: "main", [])
            }
            try made.publish()
            let found = try resolve(
                kernelCrash(release, nil), catalog: shippedCatalog(), indexes: made.indexes)
            #expect(found.packages.map(\.nevra.release) == ["150600.23.25.10"])
            #expect(
                found.packages.first?.files == [
                    "/usr/lib/debug/usr/lib/modules/\(release)/vmlinux.debug",
                    "/usr/lib/debug/usr/lib/modules/\(release)/",
                    "/usr/lib/debug/boot/vmlinux-\(release).debug", "/usr/lib/debug/lib/modules/\(release)/",
                ])
        }
    }

    /// The next synchronisation may mend it, and the log is a result without.
    @Test func anIndexThatCannotBeUsedCostsOneMoreAttemptAndNeverTheKernel() throws {
        try ScratchDirectory.with { directory in
            var broken = try MadeRelease("debian-13-x86_64", in: directory)
            try broken.add("other", [binary("/usr/bin/other", 9)])
            try broken.publish()
            try FolderContents.write(
                "no index".utf8, to: directory.appending("debian-13-x86_64").appending("index.sqlite"))
            let lost = try kernelCrash(debianRelease, 1)
            let error = #expect(throws: StageError.self) {
                try resolve(lost, catalog: shippedCatalog(), indexes: broken.indexes)
            }
            #expect(error?.code == .indexUnusable)
            let answer = try resolve(
                lost, catalog: shippedCatalog(), indexes: broken.indexes, awaitsIndexes: false)
            #expect(answer.modules.map(\.status) == [.unknown])
            #expect(answer.remarks.contains { $0.contains("debian-13-x86_64 cannot be used") })
            // Whoever else has it is asked all the same.
            var made = try MadeRelease("debian-12-x86_64", in: directory)
            try made.add("linux-image-\(debianRelease)-dbg", [vmlinux(debianPath, 1)])
            try made.publish()
            let found = try resolve(lost, catalog: shippedCatalog(), indexes: made.indexes)
            #expect(found.modules.map(\.status) == [.complete] && found.remarks == [])
        }
    }

    @Test func aKernelOfSUSEIsFoundByItsNameThoughThePackageHasOneNumberMore() throws {
        try ScratchDirectory.with { directory in
            let release = "6.4.0-150600.23.25-default"
            var made = try MadeRelease("opensuse-15.6-x86_64", in: directory)
            try made.add(
                "kernel-default-debuginfo", "6.4.0-150600.23.25.1", architecture: "x86_64", offeredBy: "main", [])
            try made.publish()
            let found = try resolve(
                kernelCrash(release, nil), catalog: shippedCatalog(), indexes: made.indexes)
            #expect(found.packages.map(\.nevra.name) == ["kernel-default-debuginfo"])
            #expect(
                found.modules.first?.debuginfo?.path == "/usr/lib/debug/usr/lib/modules/\(release)/vmlinux.debug")
        }
    }

    @Test func aKernelWhoseReleaseIsTheClientsWordIsOfThatRelease() throws {
        try ScratchDirectory.with { directory in
            let found = try resolve(
                kernelCrash(nil, nil, reported: ReportedCrash(osRelease: "Debian GNU/Linux 12 (bookworm)")),
                catalog: shippedCatalog(), indexes: PackageIndexes(repositories: directory))
            #expect(found.releaseID?.description == "debian-12-x86_64")
            #expect(found.releaseEvidence.contains("os_release"))
        }
    }
}
