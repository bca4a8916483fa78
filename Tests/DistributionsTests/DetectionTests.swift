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
        ("bash-5.1.8-6.el9", "centos-9"),
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
