import CrashModel
import Dependencies
import SystemPackage
import TestFixtures
import Testing

@Suite struct RefusalTests {
    @Test func unknownNameIsNamed() throws {
        try withPackages([stanza("libc6", "2.36-9")]) { solver throws in
            #expect(throws: DependencyError.unknownPackage("gdb")) { try solver.closure(of: ["libc6", "gdb"]) }
            #expect(throws: DependencyError.unknownPackage("gdb")) { try solver.closure(of: ["gdb=1"]) }
            #expect(throws: DependencyError.unknownPackage("")) { try solver.closure(of: [""]) }
            #expect(throws: DependencyError.unknownPackage("=1")) { try solver.closure(of: ["=1"]) }
        }
    }

    @Test func unknownVersionIsNamed() throws {
        try withPackages([stanza("libc6", "2.36-9")]) { solver throws in
            #expect(throws: DependencyError.unknownVersion(package: "libc6", version: "2.37-1")) {
                try solver.closure(of: ["libc6=2.37-1"])
            }
        }
    }

    @Test func missingDependencyIsTheProblemsSentence() throws {
        try withPackages([stanza("gdb", "13.1-3", ["Depends: libdebuginfod1 (>= 0.188)"])]) { solver throws in
            #expect(try problems(of: ["gdb"], in: solver).contains { $0.contains("libdebuginfod1 >= 0.188") })
        }
    }

    @Test func conflictIsTheProblemsSentence() throws {
        let list = """
            \(stanza("mawk", "1-1", ["Conflicts: gawk"]))
            \(stanza("gawk", "5-1"))
            """
        try withPackages([list]) { solver throws in
            let sentences = try problems(of: ["mawk", "gawk"], in: solver)
            #expect(sentences.contains { $0.contains("mawk") && $0.contains("conflicts with gawk") })
        }
    }

    @Test func twoPinnedVersionsOfOnePackageAreUnsolvable() throws {
        try withPackages([stanza("lib", "1-1") + "\n" + stanza("lib", "2-1")]) { solver throws in
            #expect(!(try problems(of: ["lib=1-1", "lib=2-1"], in: solver)).isEmpty)
        }
    }

    @Test func missingFileIsUnreadable() throws {
        #expect {
            try DependencySolver(debianPackages: ["/nonexistent/Packages"], architecture: .x86_64)
        } throws: { error in
            guard case DependencyError.unreadable = error else { return false }
            // The sentence may be shown to the public, so it has no directory in it.
            return "\(error)".contains("Packages") && !"\(error)".contains("/nonexistent")
        }
    }

    @Test(arguments: [
        "<html><body>404 Not Found</body></html>\n",
        "\u{0}\u{1}\u{2}\u{0}",
        "Package: half",
        String(repeating: "x", count: 3_000),
    ])
    func garbageIsNotPackageMetadata(_ text: String) throws {
        try withScratchFiles([Array(text.utf8)]) { files throws in
            #expect {
                try DependencySolver(debianPackages: files, architecture: .x86_64)
            } throws: { error in
                guard case DependencyError.notPackageMetadata = error else { return false }
                return true
            }
        }
    }

    @Test func bytesUnderACompressedNameAreRefused() throws {
        try withScratchFiles([Array("this is not gzip".utf8)], suffix: ".xz") { files throws in
            #expect(throws: DependencyError.self) {
                try DependencySolver(debianPackages: files, architecture: .x86_64)
            }
        }
    }

    @Test func emptyListHasNoPackages() throws {
        try withScratchFiles([[]]) { files throws in
            let solver = try DependencySolver(debianPackages: files, architecture: .x86_64)
            #expect(solver.packageCount == 0)
            #expect(throws: DependencyError.unknownPackage("gdb")) { try solver.closure(of: ["gdb"]) }
        }
    }

    @Test func packageWithoutLocationCanNotBeUsed() throws {
        let list = """
            Package: nowhere
            Version: 1-1
            Architecture: amd64

            """
        try withPackages([list]) { solver throws in
            #expect {
                try solver.closure(of: ["nowhere"])
            } throws: { error in
                guard case DependencyError.malformedPackage = error else { return false }
                return true
            }
        }
    }

    private func problems(of names: [String], in solver: DependencySolver) throws -> [String] {
        do {
            let closure = try solver.closure(of: names)
            Issue.record("\(names) has a closure: \(closure)")
            return []
        } catch DependencyError.unsolvable(let problems) {
            return problems
        }
    }
}
