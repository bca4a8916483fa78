import CrashModel
import Distributions
import SystemPackage
import Testing

@Suite struct ReleaseDetection {
    let catalog: DistributionCatalog

    init() throws {
        catalog = try DistributionCatalog(plugins: checkout.appending("plugins"), keys: checkout.appending("gpg"))
    }

    private static let debianFile = """
        PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
        NAME="Debian GNU/Linux"
        VERSION_ID="12"
        VERSION="12 (bookworm)"
        VERSION_CODENAME=bookworm
        ID=debian
        """

    @Test(arguments: [
        ("Debian GNU/Linux 12 (bookworm)", "debian-12"),
        (debianFile, "debian-12"),
        ("# comment\nID='debian'\nVERSION_ID='11'", "debian-11"),
        ("Fedora release 40 (Forty)", "fedora-40"),
        ("Fedora release 45 (Rawhide)", "fedora-rawhide"),
        ("CentOS Linux release 8.5.2111", "centos-8"),
        ("CentOS Stream release 9\n", "centos-9"),
        ("AlmaLinux release 9.3 (Shamrock Pampas Cat)", "almalinux-9"),
        ("Rocky Linux release 8.10 (Green Obsidian)", "rocky-8"),
        ("Red Hat Enterprise Linux release 8.4 (Ootpa)", "rhel-8"),
        ("Red Hat Enterprise Linux Server release 7.9 (Maipo)", "rhel-7"),
        ("CentOS release 6.10 (Final)", "centos-6"),
        ("CentOS Linux release 8.5.2111\n", "centos-8"),
        ("Ubuntu 24.04.1 LTS", "ubuntu-24.04"),
        ("openSUSE Leap 15.6", "opensuse-15.6"),
        ("openSUSE Tumbleweed", "opensuse-tumbleweed"),
        ("ID=\"opensuse-tumbleweed\"\nVERSION_ID=\"20261120\"", "opensuse-tumbleweed"),
    ])
    func releaseTextIsRecognised(_ text: String, _ release: String) throws {
        #expect(catalog.detectRelease(ReportedCrash(osRelease: text))?.release == (try Release(release)))
    }

    @Test(arguments: [
        "", "\n", "Slackware 15.0", "ID=arch\nPRETTY_NAME=\"Arch Linux\"", "Debian", "VERSION_ID=12",
        "evil Debian GNU/Linux 12 (bookworm)", "Linux Mint 21.3", "SUSE Linux Enterprise Server 15 SP6",
    ])
    func unknownTextGivesNothing(_ text: String) {
        #expect(catalog.detectRelease(ReportedCrash(osRelease: text)) == nil)
    }

    @Test(arguments: [
        ("httpd-2.4.57-5.el9_3.alma.1", "almalinux-9"), ("httpd-2.4.62-1.el10.rocky.1", "rocky-10"),
        ("bash-5.1.8-6.el9", "centos-9"), ("httpd-2.4.6-97.el7.centos", "centos-7"),
        ("perl-5.30-1.module+el8.4.0+8990+01326e37", "centos-8"), ("glibc-2.43-5.fc46", "fedora-rawhide"),
        ("vsftpd-3.0.5-lp156.2.1", "opensuse-15.6"), ("snapd-2.63+22.04", "ubuntu-22.04"),
    ])
    func rebuildsAreGuessedOnlyByTheirOwnMark(_ package: String, _ release: String) throws {
        #expect(catalog.detectRelease(ReportedCrash(package: package))?.release == (try Release(release)))
    }

    @Test func containerComesBeforeTheHost() throws {
        let reported = ReportedCrash(
            osRelease: "Fedora release 40 (Forty)", rootDirectory: "/var/lib/machines/demo",
            osReleaseInRootDirectory: Self.debianFile)
        let detected = try #require(catalog.detectRelease(reported))
        #expect(detected.release == (try Release("debian-12")))
        #expect(detected.evidence == "os_release_in_rootdir says \"Debian GNU/Linux 12 (bookworm)\"")
    }

    @Test func containersReleaseWithoutAContainerDoesNotCount() throws {
        let reported = ReportedCrash(
            osRelease: "Fedora release 40 (Forty)", osReleaseInRootDirectory: Self.debianFile)
        #expect(catalog.detectRelease(reported)?.release == (try Release("fedora-40")))
    }

    @Test func unreadableReleaseFallsBackToTheNextText() throws {
        let reported = ReportedCrash(
            package: "bash-1-1.fc40", osRelease: "Slackware", release: "Debian GNU/Linux 11 (bullseye)")
        let detected = try #require(catalog.detectRelease(reported))
        #expect(detected.release == (try Release("debian-11")))
        #expect(detected.evidence.hasPrefix("release says"))
    }

    @Test(arguments: [
        ("bash-5.2.15-2+deb12u1", "debian-12"),
        ("linux-image-amd64-6.10.11-1~bpo12+1", "debian-12"),
        ("firefox-esr-128.3.1esr-1~deb11u1", "debian-11"),
        ("bash-5.2.26-3.fc40", "fedora-40"),
    ])
    func packageGivesAGuess(_ package: String, _ release: String) throws {
        let detected = try #require(catalog.detectRelease(ReportedCrash(package: package)))
        #expect(detected.release == (try Release(release)))
        #expect(detected.evidence.contains(package))
    }

    @Test func markThatTwoDistributionsShareIsToldAsATie() throws {
        let detected = try #require(catalog.detectRelease(ReportedCrash(package: "bash-4.4.20-4.el8_6")))
        #expect(detected.release == (try Release("centos-8")))
        #expect(detected.evidence.contains("rhel-8"))
    }

    /// A plugin of a distribution that uses RHEL's mark, as its own or as another's.
    private func sharing(_ name: String, isEnabled: Bool, own: Bool) -> String {
        """
        distribution: \(name)
        display-name: \(name)
        enabled: \(isEnabled)
        package-format: rpm
        versions: ['9']
        architectures: [x86_64]
        recognise:
          release-text: ['^\(name) ([0-9]+)']
          os-release: { id: [\(name)], version: '([0-9]+)' }
          package: ['\(own ? "\\.el([0-9]+)" : "\\.el([0-9]+).*\\.\(name)")']
          package-shared: ['\\.el([0-9]+)']
          examples: {}
        debugger: { package: gdb, executable: /usr/bin/gdb }
        repositories: []
        """
    }

    @Test(arguments: [
        // The enabled ones, and who is taken for the owner of .el9.
        ([], "centos"), (["rhel"], "rhel"), (["rocky"], "rocky"), (["rhel", "rocky"], "rhel"),
        (["alma", "rocky"], "alma"), (["alma", "centos", "rhel"], "centos"),
    ])
    func sharedMarkIsOfTheDistributionThatIsMirrored(_ enabled: [String], _ winner: String) throws {
        var plugins: [String: String] = [:]
        for name in ["alma", "centos", "rhel", "rocky"] {
            plugins["\(name).yaml"] = sharing(
                name, isEnabled: enabled.contains(name), own: name == "centos" || name == "rhel")
        }
        let catalog = try PluginFolder.with(plugins) { try $0.catalog() }
        let detected = try #require(catalog.detectRelease(ReportedCrash(package: "bash-5.1.8-6.el9")))
        #expect(detected.release.distribution == winner)
        #expect(detected.evidence.contains("would too"))
    }

    @Test func hostileTextIsCutAndCleaned() throws {
        let escape = "Debian GNU/Linux 12 (\u{1b}[2J\u{202e})" + String(repeating: "x", count: 100_000)
        let detected = try #require(catalog.detectRelease(ReportedCrash(osRelease: escape)))
        #expect(detected.evidence.utf8.count < 400)
        #expect(!detected.evidence.unicodeScalars.contains { $0.value == 0x1b || $0.value == 0x202e })
    }

    @Test func versionBeyondTheFirst512BytesIsNotSeen() {
        let text = "Debian GNU/Linux " + String(repeating: "1", count: 600) + " (x)"
        #expect(catalog.detectRelease(ReportedCrash(osRelease: text)) == nil)
    }
}
