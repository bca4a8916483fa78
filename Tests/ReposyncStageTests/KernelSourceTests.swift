import CrashModel
import Distributions
import Packages
import ReposyncStage
import SystemPackage
import TestFixtures
import Testing

/// Kernels that no mirror has, from where a plugin says besides.
extension RPMDirectory {
    private static let kernel = "6.8.5-301.fc40.x86_64"
    private static let vmlinux = "/usr/lib/debug/lib/modules/6.8.5-301.fc40.x86_64/vmlinux"
    private static let buildID = [UInt8](repeating: 0xab, count: 20)

    private func crash(_ buildID: [UInt8]? = buildID) throws -> Crash {
        let ran = try buildID.map { try BuildID(bytes: $0) }
        let path = "/boot/vmlinuz-\(Self.kernel)"
        return Crash(
            kind: .vmcore, architecture: .x86_64, reported: ReportedCrash(), executable: path, threadCount: 0,
            modules: [LoadedModule(path: path, buildID: ran, start: 0, end: 0, kind: .executable)],
            kernel: KernelDump(
                format: .kdump, release: try KernelRelease(Self.kernel), releaseEvidence: "a test", buildID: ran))
    }

    private func unknown(_ crash: Crash) throws -> Resolution {
        Resolution(
            releaseID: try ReleaseID("fedora-40-x86_64"), releaseEvidence: "a test",
            modules: crash.modules.map { ResolvedModule(module: $0, status: .unknown, reason: "no mirror has it") },
            packages: [])
    }

    /// Puts a signed debuginfo package of the kernel where koji would have it.
    private func makeKernel(in folder: FilePath, isSigned: Bool = true) async throws {
        var image = ELFBuilder(type: 2)
        image.notes = [ELFBuilder.Note("GNU", 3, Self.buildID)]
        let tree = folder.appending("tree")
        let modules = "usr/lib/debug/lib/modules/\(Self.kernel)"
        try DebianArchive.makeDirectories(tree.appending("\(modules)/kernel/fs"))
        try FolderContents.write(image.build(), to: tree.appending(String(Self.vmlinux.dropFirst())))
        try FolderContents.write(
            ELFBuilder(type: 1).build(),
            to: tree.appending("\(modules)/kernel/fs/demo.ko.debug"))
        let workshop = try RPMWorkshop(in: folder.appending("workshop"))
        let package = try await workshop.pack(tree, as: "kernel-debuginfo", version: "6.8.5", release: "301.fc40")
        let place = folder.appending("koji/kernel/6.8.5/301.fc40/x86_64")
        try DebianArchive.makeDirectories(place)
        let name = try #require(package.lastComponent?.string)
        let key = try await SigningKey(rsa: true)
        try FolderContents.write(key.publicKey, to: folder.appending("keys/kernel.asc"))
        if isSigned { try await workshop.sign([package], with: key) }
        try await key.remove()
        try await tool(["mv", package.string, place.appending(name).string])
    }

    private func catalog(_ folder: FilePath, sources: String) throws -> DistributionCatalog {
        try writePlugin(
            folder,
            kernel: """
                kernel:
                  packages: ['kernel$RT$FLAVOUR-debuginfo']
                  vmlinux: ['/usr/lib/debug/lib/modules/$RELEASE/vmlinux']
                  modules: ['/usr/lib/debug/lib/modules/$RELEASE']
                  sources: [\(sources)]
                """)
        return try catalog(folder)
    }

    private func fetchKernel(
        _ crash: Crash, _ catalog: DistributionCatalog, _ folder: FilePath
    ) async throws -> (resolution: Resolution, report: FetchReport) {
        let resolution = try unknown(crash)
        let source = try #require(catalog.kernelSource(of: crash, resolution))
        var limits = SyncLimits()
        limits.silenceSeconds = 2
        return try await ReposyncStage.fetchKernel(
            from: source, for: crash, resolution, repositories: folder.appending("mirror"), limits: limits
        ) { _, _ in }
    }

    @Test func kernelThatNoMirrorHasComesFromADirectoryAndIsInTheIndexThen() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top", "bottom"], in: folder)
            let before = try await sync(folder, [], more: ", mirror: lazy").index
            try await makeKernel(in: folder)
            let catalog = try catalog(folder, sources: "'\(folder)/koji/kernel$RT/$VERSION/$BUILD/$ARCH/'")
            let crash = try crash()
            let (resolution, report) = try await fetchKernel(crash, catalog, folder)
            #expect(report.remarks == [] && report.fetched.map(\.name) == ["kernel-debuginfo"], "\(report)")
            let package = try #require(resolution.packages.first)
            #expect(package.files == [Self.vmlinux, "/usr/lib/debug/lib/modules/\(Self.kernel)/"])
            #expect(resolution.modules.map(\.status) == [.complete])
            #expect(try mirror(folder).hasFile(at: package.location))
            let index = try #require(try PackageIndex(mirror(folder)))
            let found = try index.files(with: BuildID(bytes: Self.buildID))
            #expect(found.contains { $0.path == Self.vmlinux && $0.package.sha256 == package.sha256 }, "\(found)")
            // What was only offered is offered still.
            #expect(index.summary.packageCount == before.packageCount + 1)
            let bottom = try #require(try index.packages(named: "bottom").first)
            #expect(try index.offer(of: bottom.sha256) != nil)
            // The directory is not asked again.
            try await tool(["rm", "-rf", folder.appending("koji").string])
            let again = try await fetchKernel(crash, catalog, folder)
            #expect(again.report == FetchReport() && again.resolution == resolution)
            // The next synchronisation keeps it.
            try await make("side", in: folder)
            try await describe(folder, at: 1_700_000_001)
            _ = try await sync(folder, [], more: ", mirror: lazy")
            #expect(try PackageIndex(mirror(folder))?.package(sha256: package.sha256) != nil)
        }
    }

    @Test func kernelComesFromAnAddressWhereTheReleaseIsNotMirrored() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top"], in: folder)
            try await makeKernel(in: folder)
            let server = try await FolderServer(folder.appending("koji"))
            let sources =
                "'http://127.0.0.1:9/kernels', '/nowhere', '\(server.address)/kernel$RT/$VERSION/$BUILD/$ARCH/$PACKAGE'"
            let catalog = try catalog(folder, sources: sources)
            let (resolution, report) = try await fetchKernel(try crash(nil), catalog, folder)
            #expect(report.fetched.count == 1 && report.remarks == [] && !report.mayComeLater, "\(report)")
            #expect(resolution.packages.count == 1 && resolution.modules.map(\.status) == [.unverified])
            #expect(resolution.modules.first?.reason?.contains("not by its build-id") == true)
            // A release with nothing but one kernel would pass for mirrored.
            #expect(try PackageIndex(mirror(folder)) == nil)
            try await server.stop()
        }
    }

    @Test func unsignedKernelIsRefused() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top"], in: folder)
            try await makeKernel(in: folder, isSigned: false)
            let catalog = try catalog(folder, sources: "'\(folder)/koji/kernel$RT/$VERSION/$BUILD/$ARCH'")
            let crash = try crash()
            let (resolution, report) = try await fetchKernel(crash, catalog, folder)
            #expect(try resolution == unknown(crash) && report.fetched.isEmpty && !report.mayComeLater)
            #expect(report.remarks.first?.contains("no good signature") == true, "\(report)")
            #expect(FolderContents.names(in: try mirror(folder).path.appending("pool")) == [])
        }
    }

    @Test func kernelOfAnotherBuildIsNotTakenForTheOneThatCrashed() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top"], in: folder)
            try await makeKernel(in: folder)
            let catalog = try catalog(folder, sources: "'\(folder)/koji/kernel$RT/$VERSION/$BUILD/$ARCH'")
            let crash = try crash([UInt8](repeating: 0xcd, count: 20))
            let (resolution, report) = try await fetchKernel(crash, catalog, folder)
            #expect(try resolution == unknown(crash))
            #expect(report.remarks.first?.contains("another build") == true, "\(report)")
        }
    }

    @Test func sourceThatDoesNotAnswerMayDoSoLaterAndIsTold() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top"], in: folder)
            try FolderContents.write(
                FolderContents.read(folder.appending("keys/test.asc")), to: folder.appending("keys/kernel.asc"))
            let catalog = try catalog(folder, sources: "'http://127.0.0.1:9/kernels'")
            let (_, report) = try await fetchKernel(try crash(), catalog, folder)
            #expect(report.mayComeLater && report.remarks.first?.contains("127.0.0.1:9") == true, "\(report)")
        }
    }
}
