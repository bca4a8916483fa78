import CrashModel
import IngestStage
import SystemPackage
import TestFixtures
import Testing

@Suite struct CoreVerdictTests {
    private func verdict(on core: [UInt8], executable: String = "/usr/bin/demo") throws -> Result<Crash, StageError> {
        let files = CrashFiles().replacing("coredump", with: core)
            .replacing("executable", with: Array(executable.utf8))
        return try SentUpload.with(files.tar.archive) { upload in upload.verdict() }
    }

    private func code(of core: [UInt8]) throws -> StageError.Code? {
        guard case .failure(let error) = try verdict(on: core) else { return nil }
        return error.code
    }

    @Test func whatIsNoCoreIsSaid() throws {
        var program = ELFBuilder()
        program.type = 2
        let others: [[UInt8]] = [
            [], Array("Segmentation fault (core dumped)\n".utf8), [UInt8](repeating: 0, count: 8192), program.build(),
            Array("MDMP".utf8) + [UInt8](repeating: 1, count: 500), Array(sampleCore().prefix(20)),
        ]
        for other in others { #expect(try code(of: other) == .notACoredump) }
    }

    @Test func kernelDumpThatCameAsTheCoreOfAProgramIsRefusedWithTheWayOut() throws {
        #expect(try code(of: Array("KDUMP   ".utf8) + [UInt8](repeating: 0, count: 8000)) == .wrongTaskType)
        #expect(try code(of: Array("makedumpfile".utf8) + [UInt8](repeating: 0, count: 8000)) == .wrongTaskType)
    }

    @Test func coreOfAProgramThatCameAsAKernelsDumpIsNoDump() throws {
        for taskType in [2, 4] {
            try SentUpload.with(CrashFiles().tar.archive) { upload in
                upload.taskType = taskType
                guard case .failure(let error) = upload.verdict() else {
                    Issue.record("type \(taskType) was accepted")
                    return
                }
                #expect(error.code == .missingMember)
                #expect(upload.leftovers == ["upload"])
            }
        }
    }

    @Test func everyOtherTaskTypeIsACore() throws {
        for taskType in [0, 1, 3, 99, -1] {
            try SentUpload.with(CrashFiles().tar.archive) { upload in
                upload.taskType = taskType
                _ = try upload.verdict().get()
            }
        }
    }

    @Test func coreOfAMachineThatNobodyHas() throws {
        var core = ELFBuilder()
        core.machine = 243
        core.notes = [core.threadNote(id: 1, signal: 11), core.processNote(id: 1, name: "x", commandLine: "x")]
        #expect(try code(of: core.build()) == .unsupportedArchitecture)
    }

    @Test func coreCutAnywhereGivesACrashOrATypedReason() throws {
        let core = sampleCore()
        for count in Set(stride(from: 0, to: core.count, by: 97)).union([1, 4, 16, 52, 63, 64, 65, 120, 121, 176, 232])
        {
            switch try verdict(on: Array(core.prefix(count))) {
            case .success(let crash): #expect(crash.truncation != nil, "\(count) bytes")
            case .failure(let error): #expect([.notACoredump, .damagedCoredump].contains(error.code), "\(count) bytes")
            }
        }
    }

    /// It was accepted, and the debugger was blamed for it later.
    @Test func coreCutBeforeAnythingOfUseIsRefused() throws {
        #expect(try code(of: Array(sampleCore().prefix(64))) == .damagedCoredump)
    }

    @Test func programThatNobodyNames() throws {
        var core = ELFBuilder()
        core.notes = [core.threadNote(id: 1, signal: 11)]
        guard case .failure(let error) = try verdict(on: core.build(), executable: "demo") else {
            Issue.record("it was accepted")
            return
        }
        #expect(error.code == .unknownExecutable)
        let crash = try verdict(on: core.build(), executable: "/opt/demo").get()
        #expect(crash.executable == "/opt/demo")
    }

    @Test func programInAContainerIsNamedAsTheContainerSeesIt() throws {
        var core = ELFBuilder()
        core.notes = [core.threadNote(id: 1, signal: 11)]
        for (root, said, seen) in [
            ("/srv/root", "/srv/root/usr/bin/demo", "/usr/bin/demo"), ("/", "/usr/bin/demo", "/usr/bin/demo"),
            ("/srv/root/", "/srv/root/usr/bin/demo", "/usr/bin/demo"), ("/srv", "/srvother/demo", "/srvother/demo"),
        ] {
            let files = CrashFiles().replacing("coredump", with: core.build())
                .replacing("executable", with: Array(said.utf8)).replacing("rootdir", with: Array(root.utf8))
            let crash = try SentUpload.with(files.tar.archive) { try $0.verdict().get() }
            #expect(crash.executable == seen)
        }
    }
}
