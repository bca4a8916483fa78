import Glibc
import HTTPTypes
import HummingbirdTesting
import JobMessages
import Synchronization
import SystemPackage
import TestFixtures
import Testing

@testable import GatewayAPI

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

    /// VMware's machine is two files, and the snapshot is the one that stands for both.
    @Test func snapshotAndItsMemoryAreOneDump() async throws {
        try await withDumps { dumps async throws in
            for file in ["none/machine.vmem", "none/machine.vmss"] {
                try FolderContents.write([0xd2, 0xbe, 0xd2, 0xbe], to: dumps.appending(file))
            }
            let (status, job) = try await create(dumps.appending("none").string, in: dumps)
            #expect(status == .created)
            #expect(job?.serverPath == dumps.appending("none/machine.vmss").string)
            // ingest tells by its first bytes what a snapshot without such an ending is.
            let (named, bare) = (dumps.appending("none/machine.vmss"), dumps.appending("none/machine"))
            #expect(rename(named.string, bare.string) == 0)
            #expect(try await create(dumps.appending("none").string, in: dumps).job?.serverPath == bare.string)
            #expect(rename(bare.string, named.string) == 0)
            // Its memory is looked at as it is: a link may lead anywhere.
            let memory = dumps.appending("none/machine.vmem")
            #expect(unlink(memory.string) == 0 && symlink("/etc/passwd", memory.string) == 0)
            #expect(try await create(named.string, in: dumps).status == .forbidden)
            #expect(unlink(memory.string) == 0)
            try FolderContents.write([1], to: memory)
            #expect(rename(dumps.appending("none/machine.vmem").string, dumps.appending("none/other.vmem").string) == 0)
            #expect(try await create(dumps.appending("none").string, in: dumps).status == .notImplemented)
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

    /// A service that is not root: this thread's own rights to files are given up (setfsuid(2)), or there are none.
    private func withoutRoot(_ body: () throws -> Void) throws {
        guard geteuid() == 0 else { return try body() }
        typealias Call = @convention(c) (uid_t) -> CInt
        let setfsuid = unsafeBitCast(try #require(dlsym(nil, "setfsuid")), to: Call.self)
        _ = setfsuid(65534)
        defer { _ = setfsuid(0) }
        try body()
    }

    @Test(
        arguments: [
            ("vmcore", "vmcore"), ("one", "one/vmcore"), ("one", "one"), ("one/vmcore", "one"),
            ("pair.vmss", "pair.vmem"),
        ])
    func whatTheServiceMayNotReadIs403AndSaysWhoMust(name: String, secret: String) async throws {
        try await withDumps { dumps async throws in
            chmod(dumps.removingLastComponent().string, 0o755)
            try FolderContents.write([0xd2, 0xbe, 0xd2, 0xbe], to: dumps.appending("pair.vmss"))
            try FolderContents.write([1], to: dumps.appending("pair.vmem"))
            for file in ["vmcore", "one/vmcore", "pair.vmss", "pair.vmem"] {
                chmod(dumps.appending(file).string, 0o644)
            }
            let place = dumps.appending(name).string
            func named() throws -> ServerDump {
                try ServerDump(named: place, within: [dumps], contentType: "application/octet-stream")
            }
            try withoutRoot { () throws in
                #expect(["vmcore", "pair.vmss"].contains(try named().path.lastComponent?.string))
            }
            let closed = dumps.string + "/" + secret
            #expect(chmod(closed, 0) == 0)
            var refusal: Refusal?
            try withoutRoot { refusal = #expect(throws: Refusal.self) { try named() } }
            // Or who removes the folder could not.
            chmod(closed, 0o755)
            let found = try #require(refusal)
            #expect(found.status == .forbidden)
            #expect(found.reason.description == "The services' user may not read that dump.")
            #expect(found.advice?.description.contains("Let that user read the file") == true)
        }
    }

    /// The gateway listens on the loopback only, and a proxy beside it passes on what comes from anywhere.
    @Test(
        arguments: [
            [:], [.forwarded: "for=203.0.113.9"], [.forwardedFor: "203.0.113.9"], [.forwardedFor: "127.0.0.1"],
            [.forwardedProto: "https"], [.realIP: "127.0.0.1"], [.via: "1.1 proxy"],
        ] as [HTTPFields])
    func proxyThatIsNotTrustedMakesNobodyAnOperator(headers: HTTPFields) async throws {
        let (status, job) = try await createOverLoopback(headers, trusting: "192.0.2.1")
        #expect(status == (headers.isEmpty ? .created : .forbidden) && (job != nil) == headers.isEmpty, "\(headers)")
    }

    @Test(
        arguments: [
            ([:], true), ([.forwardedFor: "203.0.113.9"], false), ([.forwardedFor: "127.0.0.1"], true),
            ([.forwardedFor: "127.0.0.1, 203.0.113.9"], false), ([.forwardedFor: "203.0.113.9, 127.0.0.1"], false),
            ([.forwardedFor: "203.0.113.9:4711"], false), ([.forwardedFor: "unknown"], false),
            ([.forwardedProto: "https"], false), ([.via: "1.1 proxy"], false), ([.realIP: "127.0.0.1"], false),
            ([.forwarded: "for=127.0.0.1"], false),
        ] as [(HTTPFields, Bool)])
    func clientOfATrustedProxyIsAnOperatorByItsOwnAddress(headers: HTTPFields, isOperator: Bool) async throws {
        let (status, job) = try await createOverLoopback(headers, trusting: "127.0.0.0/8, ::1")
        #expect(status == (isOperator ? .created : .forbidden) && (job != nil) == isOperator, "\(headers)")
    }

    private func createOverLoopback(
        _ more: HTTPFields, trusting proxies: String
    ) async throws -> (status: HTTPResponse.Status, job: IngestJob?) {
        let seen = Mutex<IngestJob?>(nil)
        let answer = Mutex<HTTPResponse.Status>(.ok)
        let access = AccessRule(trustedProxies: try #require(AddressRange.list(proxies)))
        try await withDumps { dumps async throws in
            var limits = GatewayLimits()
            limits.serverDumps = [dumps]
            try await GatewayBench.run(
                .live, limits: limits, access: access,
                ingest: { job, _ in
                    seen.withLock { $0 = job }
                    return replies([.pickedUp, .accepted])
                }
            ) { _, client async throws in
                var headers = more
                headers[.contentType] = "application/octet-stream"
                headers[.taskType] = "2"
                headers[.contentLength] = "0"
                headers[.coreFileDirectory] = dumps.appending("one").string
                let response = try await client.execute(uri: "/create", method: .post, headers: headers) { $0 }
                answer.withLock { $0 = response.status }
            }
        }
        return (answer.withLock { $0 }, seen.withLock { $0 })
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
