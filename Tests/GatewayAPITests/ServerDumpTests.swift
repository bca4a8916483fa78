import GatewayAPI
import Glibc
import HTTPTypes
import HummingbirdTesting
import JobMessages
import Synchronization
import SystemPackage
import TestFixtures
import Testing

/// `X-CoreFileDirectory`: row 13 of upstream's `/create`, with a list of directories that are allowed.
@Suite struct ServerDumpTests {
    /// What ingest was asked to do; nil when it was not asked.
    private func create(
        _ name: String, in dumps: FilePath, type: String = "application/octet-stream", taskType: String = "2",
        isOperator: Bool = true
    ) async throws -> (status: HTTPResponse.Status, job: IngestJob?) {
        let seen = Mutex<IngestJob?>(nil)
        let answer = Mutex<HTTPResponse.Status>(.ok)
        var limits = GatewayLimits()
        limits.serverDumps = [dumps]
        try await GatewayBench.run(
            limits: limits,
            ingest: { job, _ in
                seen.withLock { $0 = job }
                return replies([.pickedUp, .accepted])
            }, extras: .init(isOperator: { _ in isOperator })
        ) { _, client async throws in
            let headers: HTTPFields = [
                .contentType: type, .taskType: taskType, .coreFileDirectory: name, .contentLength: "0",
            ]
            let response = try await client.execute(uri: "/create", method: .post, headers: headers) { $0 }
            answer.withLock { $0 = response.status }
        }
        return (answer.withLock { $0 }, seen.withLock { $0 })
    }

    private func withDumps(_ body: (FilePath) async throws -> Void) async throws {
        try await ScratchDirectory.with { directory in
            let dumps = directory.appending("dumps")
            for folder in ["dumps", "dumps/one", "dumps/two", "dumps/none", "elsewhere"] {
                #expect(mkdir(directory.appending(folder).string, 0o755) == 0)
            }
            for file in ["dumps/vmcore", "dumps/one/vmcore", "dumps/two/a", "dumps/two/b", "elsewhere/vmcore"] {
                try FolderContents.write(Array("KDUMP   ".utf8), to: directory.appending(file))
            }
            try await body(dumps)
        }
    }

    @Test func theOneFileOfADirectoryIsTakenWhereItLies() async throws {
        try await withDumps { dumps async throws in
            let (status, job) = try await create(dumps.appending("one").string, in: dumps)
            #expect(status == .created)
            #expect(job?.serverPath == dumps.appending("one/vmcore").string)
        }
    }

    @Test func theFileItselfMayBeNamedToo() async throws {
        try await withDumps { dumps async throws in
            let (status, job) = try await create(dumps.appending("vmcore").string, in: dumps, taskType: "2")
            #expect(status == .created)
            #expect(job?.serverPath == dumps.appending("vmcore").string)
        }
    }

    @Test func whatIsNotThereIs404() async throws {
        try await withDumps { dumps async throws in
            #expect(try await create(dumps.appending("absent").string, in: dumps).status == .notFound)
            #expect(try await create("relative/vmcore", in: dumps).status == .notFound)
        }
    }

    @Test func directoriesWithoutExactlyOneFileAre501() async throws {
        try await withDumps { dumps async throws in
            #expect(try await create(dumps.appending("two").string, in: dumps).status == .notImplemented)
            #expect(try await create(dumps.appending("none").string, in: dumps).status == .notImplemented)
        }
    }

    @Test func aFileOfAnotherTypeIs409() async throws {
        try await withDumps { dumps async throws in
            let place = dumps.appending("one").string
            #expect(try await create(place, in: dumps, type: "application/x-gzip").status == .conflict)
        }
    }

    @Test(arguments: ["elsewhere/vmcore", "dumps/../elsewhere/vmcore", "dumps/link", "dumps/linked/vmcore"])
    func nothingOutsideOfTheDirectoriesIsTaken(name: String) async throws {
        try await withDumps { dumps async throws in
            let base = dumps.removingLastComponent()
            #expect(symlink(base.appending("elsewhere/vmcore").string, dumps.appending("link").string) == 0)
            #expect(symlink(base.appending("elsewhere").string, dumps.appending("linked").string) == 0)
            let (status, job) = try await create(base.string + "/" + name, in: dumps)
            #expect(status == .forbidden)
            #expect(job == nil)
        }
    }

    @Test func onlyWhoIsOnTheServerMayNameOneAndOnlyAKernels() async throws {
        try await withDumps { dumps async throws in
            let place = dumps.appending("one").string
            #expect(try await create(place, in: dumps, isOperator: false).status == .forbidden)
            #expect(try await create(place, in: dumps, type: "application/x-tar", taskType: "0").status == .forbidden)
        }
    }

    @Test func theAddressOfAnOperatorIsThisMachines() {
        for text in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            #expect(ClientAddress(text)?.isLoopback == true)
        }
        for text in ["192.0.2.1", "128.0.0.1", "::2", "::ffff:192.0.2.1", "0.0.0.0"] {
            #expect(ClientAddress(text)?.isLoopback == false)
        }
    }
}
