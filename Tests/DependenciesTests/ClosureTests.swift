import CrashModel
import Dependencies
import SystemPackage
import Testing

@Suite struct ClosureTests {
    @Test func closureFollowsDependenciesAndPreDependencies() throws {
        let list = """
            \(stanza("gdb", "13.1-3", ["Depends: libc6 (>= 2.36), python3", "Recommends: gdbserver"]))
            \(stanza("libc6", "2.36-9"))
            \(stanza("python3", "3.11.2-1", ["Pre-Depends: python3-minimal (= 3.11.2-1)"]))
            \(stanza("python3-minimal", "3.11.2-1"))
            \(stanza("gdbserver", "13.1-3"))
            \(stanza("vim", "9.0-1"))
            """
        try withPackages([list]) { solver throws in
            #expect(solver.packageCount == 6)
            let closure = try solver.closure(of: ["gdb"])
            #expect(closure.map(\.nevra.name) == ["gdb", "libc6", "python3", "python3-minimal"])
            #expect(closure[0].nevra.versionText == "13.1-3")
            #expect(closure[0].location == "pool/gdb_13.1-3_amd64.deb")
            #expect(closure[0].sha256 == checksum("gdb", "13.1-3"))
        }
    }

    @Test func closureOfNothingIsEmpty() throws {
        try withPackages([stanza("libc6", "2.36-9")]) { solver throws in #expect(try solver.closure(of: []).isEmpty) }
    }

    @Test func firstAlternativeThatExistsIsTaken() throws {
        let list = """
            \(stanza("tool", "1-1", ["Depends: missing | present"]))
            \(stanza("present", "2-1"))
            """
        try withPackages([list]) { solver throws in
            #expect(try solver.closure(of: ["tool"]).map(\.nevra.name) == ["present", "tool"])
        }
    }

    @Test func virtualPackagesAreProvided() throws {
        let list = """
            \(stanza("tool", "1-1", ["Depends: awk"]))
            \(stanza("mawk", "1.3-1", ["Provides: awk"]))
            """
        try withPackages([list]) { solver throws in
            #expect(try solver.closure(of: ["tool"]).map(\.nevra.name) == ["mawk", "tool"])
            #expect(try solver.closure(of: ["awk"]).map(\.nevra.name) == ["mawk"])
        }
    }

    @Test func newestVersionWinsAndAPinnedOneIsKept() throws {
        let list = """
            \(stanza("lib", "1.0-9"))
            \(stanza("lib", "1.0-10"))
            \(stanza("lib", "1:0.5-1"))
            \(stanza("lib", "1:0.5~rc1-1"))
            """
        try withPackages([list]) { solver throws in
            #expect(try solver.closure(of: ["lib"]).map(\.nevra.versionText) == ["1:0.5-1"])
            #expect(try solver.closure(of: ["lib=1.0-9"]).map(\.nevra.versionText) == ["1.0-9"])
            #expect(try solver.closure(of: ["lib=1:0.5~rc1-1"]).map(\.nevra.versionText) == ["1:0.5~rc1-1"])
        }
    }

    @Test func newestVersionIsLeftWhereItsDependenciesAreNotMirrored() throws {
        let list = """
            \(stanza("gdb", "14-1", ["Depends: libpython4"]))
            \(stanza("gdb", "13-1"))
            """
        try withPackages([list]) { solver throws in
            #expect(try solver.closure(of: ["gdb"]).map(\.nevra.versionText) == ["13-1"])
        }
    }

    @Test func cyclesEnd() throws {
        let list = """
            \(stanza("libc6", "2-1", ["Depends: libgcc-s1"]))
            \(stanza("libgcc-s1", "12-1", ["Depends: libc6 (>= 2)"]))
            """
        try withPackages([list]) { solver throws in
            #expect(try solver.closure(of: ["libc6"]).map(\.nevra.name) == ["libc6", "libgcc-s1"])
        }
    }

    @Test func architectureIndependentPackagesBelongAndForeignOnesDoNot() throws {
        let list = """
            \(stanza("tool", "1-1", ["Depends: data, lib"]))
            \(stanza("data", "1-1", architecture: "all"))
            \(stanza("lib", "1-1"))
            \(stanza("lib", "2-1", architecture: "i386"))
            \(stanza("foreign", "1-1", architecture: "i386"))
            """
        try withPackages([list]) { solver throws in
            let closure = try solver.closure(of: ["tool"])
            #expect(closure.map(\.nevra.architecture) == ["all", "amd64", "amd64"])
            #expect(throws: DependencyError.self) { try solver.closure(of: ["foreign"]) }
        }
    }

    @Test func architectureQualifiersAreUnderstood() throws {
        let list = """
            \(stanza("script", "1-1", ["Depends: python3:any"], architecture: "all"))
            \(stanza("python3", "3-1", ["Multi-Arch: allowed"]))
            """
        try withPackages([list]) { solver throws in
            #expect(try solver.closure(of: ["script"]).map(\.nevra.name) == ["python3", "script"])
        }
    }

    @Test func severalListsAreOneArchive() throws {
        let main = stanza("tool", "1-1", ["Depends: lib"]) + "\n" + stanza("lib", "1-1")
        let security = stanza("lib", "1-1+deb12u1")
        try withPackages([main, security]) { solver throws in
            let closure = try solver.closure(of: ["tool"])
            #expect(closure.map(\.nevra.versionText) == ["1-1+deb12u1", "1-1"])
        }
    }
}
