import CrashModel
import Distributions
import SystemPackage
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
}
