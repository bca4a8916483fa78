import CrashModel
import Testing

/// The cases of rpm's own rules and of deb-version(7), each as older, newer.
@Suite struct VersionOrderTests {
    @Test(arguments: [
        ("1.0", "1.1"), ("1.9", "1.10"), ("1.0~rc1", "1.0"), ("1.0~rc1", "1.0~rc2"), ("1.0", "1.0^git1"),
        ("1.0^git1", "1.0.1"),
        ("1.0a", "1.0.1"), ("abc", "1"), ("1.fc39", "1.fc40"), ("1.0", "1.0a"), ("5.2.15", "5.2.21"), ("1.0~", "1.0"),
    ])
    func rpmOrders(older: String, newer: String) {
        #expect(VersionOrder.rpm.compare(older, newer) < 0)
        #expect(VersionOrder.rpm.compare(newer, older) > 0)
    }

    @Test(arguments: [("1.0", "1.0"), ("1.00", "1.0"), ("1.0", "1_0"), ("007", "7")])
    func rpmSeesTheSame(left: String, right: String) { #expect(VersionOrder.rpm.compare(left, right) == 0) }

    @Test(arguments: [
        ("1.0", "1.1"), ("1.9", "1.10"), ("1.0~rc1", "1.0"), ("1.0", "1.0a"), ("1.0a", "1.0+b1"),
        ("3.11.2", "3.11.2+dfsg"),
        ("2.36-9", "2.36-9+deb12u14"), ("9+deb12u9", "9+deb12u14"), ("1.0~~", "1.0~"), ("", "1"),
    ])
    func debianOrders(older: String, newer: String) {
        #expect(VersionOrder.debian.compare(older, newer) < 0)
        #expect(VersionOrder.debian.compare(newer, older) > 0)
    }

    @Test func epochGoesFirst() throws {
        let old = try NEVRA(name: "a", version: "9", release: "1", architecture: "x86_64")
        let new = try NEVRA(name: "a", epoch: 1, version: "1", release: "1", architecture: "x86_64")
        #expect(VersionOrder.rpm.isOlder(old, new))
        #expect(!VersionOrder.rpm.isOlder(new, old))
    }

    @Test func numbersBeyondAnyIntegerAreCompared() {
        let huge = String(repeating: "9", count: 300)
        #expect(VersionOrder.rpm.compare(huge, huge + "0") < 0)
        #expect(VersionOrder.debian.compare("1", huge) < 0)
    }
}
