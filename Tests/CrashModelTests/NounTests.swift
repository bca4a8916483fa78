import CrashModel
import Testing

@Suite struct TaskIDTests {
    @Test(arguments: ["123456789", "1", "999999999999999999"])
    func digitsAreATaskID(text: String) throws { #expect(try TaskID(text).description == text) }

    @Test(arguments: ["", "0", "012345678", "12a", "../1", "1234567890123456789", "-1", "１２３", "1\n"])
    func anythingElseIsRefused(text: String) {
        #expect(throws: InvalidValue.self) { try TaskID(text) }
    }

    @Test func randomIDsHaveNineDigitsAndDiffer() {
        let ids = Set((0..<1000).map { _ in TaskID.random() })
        #expect(ids.count > 990)
        #expect(ids.allSatisfy { $0.description.utf8.count == 9 })
    }
}

@Suite struct BuildIDTests {
    @Test func upperCaseIsWrittenInLowerCase() throws {
        let buildID = try BuildID("C561F3AA7232f2bd6ac6d56bd475f1c154a00486")
        #expect(buildID.description == "c561f3aa7232f2bd6ac6d56bd475f1c154a00486")
        #expect(buildID.pathComponents == "c5/61f3aa7232f2bd6ac6d56bd475f1c154a00486")
        #expect(buildID.debugPath == "/usr/lib/debug/.build-id/c5/61f3aa7232f2bd6ac6d56bd475f1c154a00486.debug")
    }

    @Test(arguments: ["", "ab", "abc", "zz00", "../../etc", "ab cd", String(repeating: "0", count: 130)])
    func whatIsNoBuildIDIsRefused(text: String) {
        #expect(throws: InvalidValue.self) { try BuildID(text) }
    }

    @Test(arguments: [0, 1, 65, 65536]) func lengthsThatNoLinkerWritesAreRefused(count: Int) {
        #expect(throws: InvalidValue.self) { try BuildID(bytes: Array(repeating: 1, count: count)) }
    }
}

@Suite struct ReleaseTests {
    @Test func releaseIDIsReadAsABRTWritesIt() throws {
        let id = try ReleaseID("rhel-8.4-x86_64")
        #expect(id.release == (try Release(distribution: "rhel", version: "8.4")))
        #expect(id.architecture == .x86_64)
        #expect(id.description == "rhel-8.4-x86_64")
    }

    @Test func aliasOfAnArchitectureIsResolved() throws {
        #expect(try ReleaseID("fedora-41-i686").description == "fedora-41-i386")
        #expect(try Architecture("amd64") == .x86_64)
        #expect(Architecture.aarch64.debianName == "arm64")
    }

    @Test(arguments: [
        "", "debian", "debian-12", "debian-12-vax", "../x-1-x86_64", "a-b-c-x86_64", "debian--x86_64", "a-.-x86_64",
    ])
    func whatIsNoReleaseIDIsRefused(text: String) {
        #expect(throws: InvalidValue.self) { try ReleaseID(text) }
    }
}

@Suite struct NEVRATests {
    @Test func debianVersionsAreTakenApart() throws {
        let nevra = try NEVRA(name: "zlib1g", debianVersion: "1:1.2.13.dfsg-1", architecture: "amd64")
        #expect(nevra.epoch == 1)
        #expect(nevra.version == "1.2.13.dfsg")
        #expect(nevra.release == "1")
        #expect(nevra.description == "zlib1g-1:1.2.13.dfsg-1.amd64")
    }

    @Test func nativePackageHasNoRelease() throws {
        let nevra = try NEVRA(name: "base-files", debianVersion: "12.4+deb12u11", architecture: "amd64")
        #expect(nevra.release == "")
        #expect(nevra.versionText == "12.4+deb12u11")
    }

    @Test(arguments: ["a b", "../x", "a\u{1b}[m", "$(id)", "", "a'b", String(repeating: "a", count: 257)])
    func hostileNamesAreRefused(name: String) {
        #expect(throws: InvalidValue.self) { try NEVRA(name: name, version: "1", release: "1", architecture: "x86_64") }
    }
}

@Suite struct StageErrorTests {
    @Test func toolOutputIsCutToItsLastFourKiB() {
        let error = StageError(.retrace, .internalError, "x", toolOutput: String(repeating: "a", count: 10_000) + "end")
        #expect(error.toolOutput?.utf8.count == 4096)
        #expect(error.toolOutput?.hasSuffix("end") == true)
    }

    @Test func signalsHaveTheNamesOfSignal7() {
        #expect(CrashSignal(number: 11).description == "SIGSEGV")
        #expect(CrashSignal(number: 64).description == "signal 64")
    }
}
