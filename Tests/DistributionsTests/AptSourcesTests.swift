import Distributions
import SystemPackage
import TestFixtures
import Testing

@Suite struct AptConfiguration {
    private func sources(_ files: [String: String]) throws -> AptSources {
        try ScratchDirectory.with { folder in
            for name in ["sources.list.d", "apt.conf.d"] { try DebianArchive.makeDirectories(folder.appending(name)) }
            for (name, text) in files { try FolderContents.write(text.utf8, to: folder.pushing(FilePath(name))) }
            return AptSources(folder: folder)
        }
    }

    @Test func bothStylesAreRead() throws {
        let apt = try sources([
            "sources.list": """
            # deb http://off.example.org/debian bookworm main
            deb-src http://source.example.org/debian bookworm main
            deb [arch=amd64 signed-by=/k.gpg] http://one.example.org/debian/ bookworm main contrib # tail
            deb http://short.example.org/debian
            """,
            "sources.list.d/two.sources": """
            Types: deb deb-src
            URIs: https://two.example.org/debian
             file:/srv/debian
            # between
            Suites: bookworm bookworm-updates
            Components: main
            Signed-By: /usr/share/keyrings/two.gpg

            Types: deb
            Enabled: no
            URIs: https://disabled.example.org/debian
            Suites: bookworm
            Components: main

            Types: deb
            URIs: cdrom:/x
            Suites: bookworm
            Components: main
            """,
            "sources.list.d/three.list.disabled": "deb http://three.example.org/debian bookworm main",
        ])
        #expect(
            apt.addresses(suite: "bookworm", components: ["main"])
                == ["http://one.example.org/debian", "https://two.example.org/debian", "/srv/debian"])
        #expect(
            apt.addresses(suite: "bookworm-updates", components: ["main"])
                == ["https://two.example.org/debian", "/srv/debian"])
        #expect(apt.addresses(suite: "bookworm", components: ["contrib"]) == ["http://one.example.org/debian"])
        #expect(apt.addresses(suite: "bookworm-security", components: ["main"]).isEmpty)
    }

    @Test func validUntilIsCheckedUnlessAptIsToldOtherwise() throws {
        let list = "deb http://a.example.org/x s main\ndeb [check-valid-until=no] http://b.example.org/x s main\n"
        let apt = try sources([
            "sources.list": list,
            "sources.list.d/c.sources":
                "Types: deb\nURIs: http://c.example.org/x\nSuites: s\nComponents: main\nCheck-Valid-Until: no\n",
        ])
        let lenient = apt.addresses(suite: "s", components: ["main"]).filter(apt.ignoresValidUntil(at:))
        #expect(lenient == ["http://b.example.org/x", "http://c.example.org/x"])
        let all = try sources([
            "sources.list": list, "apt.conf.d/90-no": "// a comment\nAcquire::Check-Valid-Until \"false\";\n",
        ])
        #expect(all.entries.allSatisfy { !$0.checksValidUntil })
    }

    @Test func machineWithoutAptHasNone() {
        #expect(AptSources(folder: "/nonexistent").entries.isEmpty)
    }
}
