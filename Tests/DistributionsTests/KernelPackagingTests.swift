import CrashModel
import Distributions
import SystemPackage
import TestFixtures
import Testing

struct KernelPackagingTests {
    @Test(
        arguments: [
            ("5.14.0-427.el9.x86_64", "5.14.0", "427.el9", "x86_64", nil, false),
            ("6.8.5-301.fc40.x86_64+debug", "6.8.5", "301.fc40", "x86_64", "debug", false),
            ("4.18.0-305.rt7.72.el8.x86_64", "4.18.0", "305.rt7.72.el8", "x86_64", nil, true),
            ("5.14.0-427.el9.aarch64+64k", "5.14.0", "427.el9", "aarch64", "64k", false),
            ("2.6.32-754.el6.i686.debug", "2.6.32", "754.el6", "i686", "debug", false),
            ("2.6.18-398.el5PAE", "2.6.18", "398.el5", nil, "PAE", false),
            ("2.6.9-89.ELsmp", "2.6.9", "89.EL", nil, "smp", false),
            ("6.4.0-150600.23.25-default", "6.4.0", "150600.23.25", nil, "default", false),
            ("5.14.21-150500.13.5-rt", "5.14.21", "150500.13.5", nil, "rt", true),
            ("6.9.0-debug", "6.9.0", "debug", nil, nil, false),
            ("6.1.0-56-cloud-amd64", "6.1.0", "56-cloud-amd64", nil, nil, false),
            ("6.1.0", "6.1.0", "", nil, nil, false),
        ] as [(String, String, String, String?, String?, Bool)])
    func releasesAreTakenApart(
        _ text: String, version: String, release: String, architecture: String?, flavour: String?, realtime: Bool
    ) throws {
        let parsed = KernelVersion(try KernelRelease(text))
        #expect(parsed.version == version)
        #expect(parsed.release == release)
        #expect(parsed.architecture == architecture)
        #expect(parsed.flavour == flavour)
        #expect(parsed.isRealtime == realtime)
    }

    @Test(arguments: ["../..", "6.1.0/../../etc", "6.1", "", "a.b", "6.1.0 ", "6..1", "6.1\u{0}", "6.1-$(id)"])
    func onlyWhatAKernelPrintsIsARelease(_ text: String) {
        if text == "6.1" { return #expect((try? KernelRelease(text)) != nil) }
        #expect(throws: InvalidValue.self) { try KernelRelease(text) }
    }

    @Test(arguments: [
        (
            "debian", "6.1.0-56-cloud-amd64", "linux-image-6.1.0-56-cloud-amd64-dbg",
            "/usr/lib/debug/boot/vmlinux-6.1.0-56-cloud-amd64"
        ),
        (
            "fedora", "6.8.5-301.fc40.x86_64+debug", "kernel-debug-debuginfo",
            "/usr/lib/debug/lib/modules/6.8.5-301.fc40.x86_64+debug/vmlinux"
        ),
        (
            "rhel", "4.18.0-305.rt7.72.el8.x86_64", "kernel-rt-debuginfo",
            "/usr/lib/debug/lib/modules/4.18.0-305.rt7.72.el8.x86_64/vmlinux"
        ),
        (
            "opensuse", "6.4.0-150600.23.25-default", "kernel-default-debuginfo",
            "/usr/lib/debug/usr/lib/modules/6.4.0-150600.23.25-default/vmlinux.debug"
        ),
        (
            "opensuse", "6.4.0-150600.10.5-rt", "kernel-rt-debuginfo",
            "/usr/lib/debug/usr/lib/modules/6.4.0-150600.10.5-rt/vmlinux.debug"
        ),
    ])
    func shippedPluginsNameTheirKernels(_ name: String, _ text: String, package: String, path: String) throws {
        var checkout = FilePath(#filePath)
        for _ in 0..<3 { checkout.removeLastComponent() }
        let catalog = try DistributionCatalog(
            plugins: checkout.appending("plugins"), keys: checkout.appending("gpg"))
        let kernel = try #require(catalog.distribution(named: name)?.kernel)
        let release = try KernelRelease(text)
        #expect(kernel.packageNames(of: release, .x86_64).first == package)
        #expect(kernel.vmlinuxPaths(of: release, .x86_64).first == path)
        #expect(kernel.modulesDirectory(beside: path, of: release, .x86_64)?.hasSuffix("\(text)/") == true)
    }

    /// SUSE leaves the number of the rebuild out of what `uname -r` says.
    @Test func packageOfSUSEHasOneNumberMoreThanItsKernel() throws {
        try withPlugin("") { catalog in
            let kernel = try #require(catalog.distribution(named: "fedora")?.kernel)
            func isOf(_ release: String, _ package: String) throws -> Bool {
                kernel.isOf(
                    try KernelRelease(release),
                    try NEVRA(
                        name: "kernel-default-debuginfo", version: "6.4.0", release: package, architecture: "x86_64")
                )
            }
            #expect(try isOf("6.4.0-150600.23.25-default", "150600.23.25.1"))
            #expect(try isOf("6.4.0-150600.23.25-default", "150600.23.25"))
            #expect(try !isOf("6.4.0-150600.23.25-default", "150600.23.250.1"))
            #expect(try !isOf("6.4.0-150600.23.25.x86_64", "150600.23.25.1"))
        }
    }

    /// One package of Enterprise Linux 4 has the symbols of all flavours.
    @Test func flavourIsNotInTheNamesOfEnterpriseLinux4() throws {
        let sources = "'/koji'"
        try withPlugin(sources) { catalog in
            let kernel = try #require(catalog.distribution(named: "fedora")?.kernel)
            #expect(kernel.packageNames(of: try KernelRelease("2.6.9-89.ELsmp"), .i386) == ["kernel-debuginfo"])
            #expect(kernel.packageNames(of: try KernelRelease("2.6.18-398.el5PAE"), .i386) == ["kernel-PAE-debuginfo"])
        }
    }

    /// Nothing in `2.6.18-398.el5PAE` says for which of the processors of one architecture it was built.
    @Test func everyNameOfTheArchitectureIsAskedForWhereTheReleaseHasNone() throws {
        try withPlugin("'/koji/$ARCH'") { catalog in
            let (crash, resolution) = try kernelCrash("2.6.18-398.el5PAE", .i386)
            #expect(
                catalog.kernelSource(of: crash, resolution)?.addresses
                    == ["i686", "i586", "i486", "i386"].map {
                        "/koji/\($0)/kernel-PAE-debuginfo-2.6.18-398.el5.\($0).rpm"
                    })
            let (named, unknown) = try kernelCrash("2.6.32-754.el6.i686", .i386)
            #expect(
                catalog.kernelSource(of: named, unknown)?.addresses == [
                    "/koji/i686/kernel-debuginfo-2.6.32-754.el6.i686.rpm"
                ])
        }
    }

    /// The lists of the two belong together, whatever becomes equal when the words are replaced.
    @Test func modulesAreBesideTheirVmlinuxForEveryNameOfAnArchitecture() throws {
        let vmlinux = "['/usr/lib/debug/$RELEASE/vmlinux', '/usr/lib/debug/$RELEASE.$ARCH/vmlinux']"
        let modules = "['/usr/lib/debug/$RELEASE', '/usr/lib/debug/ko/$RELEASE']"
        try withPlugin("", vmlinux: vmlinux, modules: modules) { catalog in
            let kernel = try #require(catalog.distribution(named: "fedora")?.kernel)
            let release = try KernelRelease("2.6.18-398.el5")
            let paths = kernel.vmlinuxPaths(of: release, .i386)
            #expect(paths.count == 5)
            #expect(
                paths.map { kernel.modulesDirectory(beside: $0, of: release, .i386) }
                    == ["/usr/lib/debug/2.6.18-398.el5/"]
                    + [String](repeating: "/usr/lib/debug/ko/2.6.18-398.el5/", count: 4))
        }
    }

    @Test func noSourceIsAskedForAKernelOfNoRelease() throws {
        try withPlugin("'/koji'") { catalog in
            let (crash, _) = try kernelCrash("6.8.5-301.fc40.x86_64")
            let nowhere = Resolution(releaseID: nil, releaseEvidence: "", modules: [], packages: [])
            #expect(catalog.kernelSource(of: crash, nowhere) == nil)
        }
    }

    private func withPlugin(
        _ sources: String, format: String = "rpm", vmlinux: String = "['/usr/lib/debug/lib/modules/$RELEASE/vmlinux']",
        modules: String = "[]", _ body: (DistributionCatalog) throws -> Void
    ) throws {
        try ScratchDirectory.with { folder in
            let repository = format == "rpm" ? "" : ", suite: x, components: [main]"
            let text = """
                distribution: fedora
                display-name: Fedora Linux
                package-format: \(format)
                versions: ['40']
                architectures: [x86_64]
                recognise:
                  release-text: ['^Fedora release ([0-9]+)']
                  os-release: { id: [fedora], version: '^([0-9]+)' }
                  package: ['\\.fc([0-9]+)']
                  examples: {}
                debugger: { package: gdb, executable: /usr/bin/gdb }
                kernel:
                  packages: ['kernel$RT$FLAVOUR-debuginfo']
                  vmlinux: \(vmlinux)
                  modules: \(modules)
                  sources: [\(sources)]
                keys: [a.asc]
                repositories: [{ name: everything, mirrors: [/repo]\(repository) }]

                """
            for name in ["plugins", "keys"] { try DebianArchive.makeDirectories(folder.appending(name)) }
            try FolderContents.write(text.utf8, to: folder.appending("plugins/fedora.yaml"))
            try FolderContents.write("".utf8, to: folder.appending("keys/a.asc"))
            try body(
                DistributionCatalog(plugins: folder.appending("plugins"), keys: folder.appending("keys")))
        }
    }

    private func kernelCrash(
        _ release: String, _ architecture: Architecture = .x86_64
    ) throws -> (Crash, Resolution) {
        let crash = Crash(
            kind: .vmcore, architecture: architecture, reported: ReportedCrash(), executable: "/boot/vmlinuz",
            threadCount: 0,
            modules: [],
            kernel: KernelDump(format: .elf, release: try KernelRelease(release), releaseEvidence: "a test"))
        let resolution = Resolution(
            releaseID: try ReleaseID("fedora-40-x86_64"), releaseEvidence: "", modules: [], packages: [])
        return (crash, resolution)
    }

    @Test func sourcesOfKernelsAreAddressesOfTheirPackages() throws {
        let sources = "'/mnt/koji/packages/kernel$RT/$VERSION/$BUILD/$ARCH/', 'https://example.org/$RELEASE/$PACKAGE'"
        try withPlugin(sources) { catalog in
            let (crash, resolution) = try kernelCrash("6.8.5-301.fc40.x86_64+debug")
            #expect(
                catalog.kernelSource(of: crash, resolution)?.addresses == [
                    "/mnt/koji/packages/kernel/6.8.5/301.fc40/x86_64/kernel-debug-debuginfo-6.8.5-301.fc40.x86_64.rpm",
                    "https://example.org/6.8.5-301.fc40.x86_64+debug/kernel-debug-debuginfo-6.8.5-301.fc40.x86_64.rpm",
                ])
            #expect(catalog.kernelSource(of: crash, resolution)?.repository.checksSignatures == true)
            // A release that no RPM has.
            let (other, unknown) = try kernelCrash("6.8.5")
            #expect(catalog.kernelSource(of: other, unknown) == nil)
        }
    }

    @Test func noSourceIsAskedUnlessThePluginNamesOne() throws {
        try withPlugin("") { catalog in
            let (crash, resolution) = try kernelCrash("6.8.5-301.fc40.x86_64")
            #expect(catalog.kernelSource(of: crash, resolution) == nil)
        }
    }

    @Test(arguments: [
        ("koji/$ARCH", "absolute path"), ("/koji/../etc", "absolute path"), ("https://me:secret@koji/$ARCH", "a user"),
        ("gopher://koji", "absolute path"), ("https://koji/?f=$PACKAGE", "'?'"), ("/koji/$NONSENSE", "$NONSENSE"),
    ])
    func sourceThatCannotBeUsedIsAFaultOfThePlugin(_ source: String, word: String) throws {
        let error = #expect(throws: (any Error).self) { try withPlugin("'\(source)'") { _ in } }
        #expect(error.map { "\($0)".contains(word) } == true, "\(error as Any)")
    }

    @Test func debsAreNotTakenFromSourcesBecauseNothingSignsThem() throws {
        let error = #expect(throws: (any Error).self) { try withPlugin("/debs", format: "deb") { _ in } }
        #expect(error.map { "\($0)".contains("no signature of its own") } == true, "\(error as Any)")
    }
}
