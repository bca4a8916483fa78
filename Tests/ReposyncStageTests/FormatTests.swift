import CrashModel
import SystemPackage
import TestFixtures
import Testing

@testable import ReposyncStage

@Suite struct Formats {
    @Test(arguments: [
        ("Thu, 01 Jan 1970 00:00:00 UTC", 0), ("Sat, 11 Jul 2026 10:16:37 UTC", 1_783_764_997),
        ("Sat, 1 Jan 2000 00:00:00 GMT", 946_684_800),
    ])
    func dateIsRead(_ text: String, _ seconds: Int64) {
        #expect(secondsOfDate(text) == seconds)
    }

    @Test(arguments: ["", "Sat, 11 Jul 2026", "Sat, 11 Jul 2026 10:16:37 CEST", "Sat, 99 Jul 2026 10:16:37 UTC"])
    func otherDateIsNone(_ text: String) {
        #expect(secondsOfDate(text) == nil)
    }

    @Test func releaseWithoutDateOrDigestsIsNone() {
        #expect(ReleaseFile("Suite: a\nCodename: a\n") == nil)
        #expect(ReleaseFile("Date: Sat, 1 Jan 2000 00:00:00 UTC\nSHA256:\n abc 12 main/x\n") == nil)
        #expect(ReleaseFile("Date: Sat, 1 Jan 2000 00:00:00 UTC\nMD5Sum:\n abc 12 main/x\n") == nil)
    }

    @Test func armouredKeyBecomesItsBytes() {
        let block = { (body: String) in
            "text\n-----BEGIN PGP PUBLIC KEY BLOCK-----\nVersion: x\n\n\(body)\n=AAAA\n-----END PGP PUBLIC KEY BLOCK-----\n"
        }
        #expect(dearmoured(block("aGVsbG8=")) == Array("hello".utf8))
        #expect(dearmoured(block("aGVs\nbG8h") + block("aGk=")) == Array("hello!hi".utf8))
        #expect(dearmoured(block("a*Vs")) == nil)
        #expect(dearmoured(block("")) == nil)
        #expect(dearmoured("no key") == nil)
        #expect(dearmoured("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\naGVsbG8=\n") == nil)
    }

    @Test func onlyAGoodSignatureWithASafeDigestIsProof() {
        let good = "[GNUPG:] GOODSIG 1 a\n"
        let valid = { (digest: Int) in "[GNUPG:] VALIDSIG F 2026-01-01 1 0 4 0 1 \(digest) 01 F\n" }
        #expect(distrust(good + valid(8)) == nil)
        #expect(distrust("[GNUPG:] ERRSIG 1 1 8 00 1 9 -\n[GNUPG:] NO_PUBKEY 1\n" + good + valid(10)) == nil)
        #expect(distrust(good + valid(2))?.contains("digest") == true)
        #expect(distrust(valid(8)) != nil)
        #expect(distrust("[GNUPG:] EXPKEYSIG 1 a\n" + valid(8))?.contains("expired") == true)
        #expect(distrust("[GNUPG:] REVKEYSIG 1 a\n" + valid(8))?.contains("revoked") == true)
        #expect(distrust(good + valid(8) + "[GNUPG:] BADSIG 2 b\n")?.contains("altered") == true)
        #expect(distrust("[GNUPG:] NODATA 1\n") == "it has no signature")
        #expect(distrust("") != nil)
    }

    @Test func stanzasAreFoundWhateverTheirSizeAndEnd() throws {
        try ScratchDirectory.with { folder in
            let long = "Package: long\nDescription: " + String(repeating: "x", count: 1 << 21)
            let text = "\n\nPackage: a\nDepends: b,\n c (= 1)\nDescription: Package: no\n\n\n\(long)\n\nPackage: last"
            let file = try FolderContents.write(text.utf8, to: folder.appending("Packages"))
            var names: [String?] = []
            var dependencies: String?
            try forEachStanza(in: file) { view, place in
                names.append(view.field("Package"))
                dependencies = dependencies ?? view.field("Depends")
                let read = try place.read()
                #expect(read == view.text)
            }
            #expect(names == ["a", "long", "last"])
            #expect(dependencies == "b,\n c (= 1)")
            #expect(ArchivePackage.exactDependencies(dependencies ?? "") == ["c=1"])
        }
    }

    @Test func exactDependenciesAreReadWithAlternativesAndArchitectures() {
        #expect(
            ArchivePackage.exactDependencies("a:amd64 (= 1:2-3) | b, c (>= 4), d (= 5+deb12u1)")
                == ["a=1:2-3", "d=5+deb12u1"])
    }

    @Test func addressesAreEncoded() {
        #expect(
            MirrorAddress.url("http://h/d", "pool/g++_1%3a2~x y?.deb") == "http://h/d/pool/g++_1%253a2~x%20y%3F.deb")
        #expect(MirrorAddress("file:///srv/x") == .folder("/srv/x"))
        #expect(MirrorAddress("/srv/x").description == "the local folder 'x'")
    }
}
