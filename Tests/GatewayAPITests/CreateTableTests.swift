import CrashModel
import HTTPTypes
import HummingbirdTesting
import JobMessages
import NIOCore
import SystemPackage
import TaskStorage
import Testing

@testable import GatewayAPI

/// Every row of upstream's `/create`, in its order (upstream-facts, section 2): its status, and that it comes before all
/// later ones.
@Suite struct CreateTableTests {
    /// One request and the server that it meets.
    struct Attempt: Sendable {
        var access = AccessRule()
        var limits = GatewayLimits()
        var freeBytes: @Sendable (FilePath) throws -> UInt64 = { _ in 1 << 40 }
        var spoolIsThere = true
        var ingest: GatewayBench.Ingest = accepting
        var method = HTTPRequest.Method.post
        var type: String? = "application/x-xz-compressed-tar"
        var body: String? = "archive"
        var more = HTTPFields()
        var isOperator = false

        func status() async throws -> Int {
            let (status, report) = AsyncStream.makeStream(of: Int.self)
            try await GatewayBench.run(
                limits: limits, access: access, freeBytes: freeBytes, spool: spoolIsThere ? nil : "absent",
                ingest: ingest, extras: .init(isOperator: { [isOperator] _ in isOperator })
            ) { bench, client async throws in
                var headers = more
                headers[.contentType] = type
                let response = try await client.execute(
                    uri: "/create", method: method, headers: headers, body: body.map(ByteBuffer.init(string:))
                ) { $0 }
                report.yield(response.status.code)
                guard response.status != .created else { return }
                #expect(response.isWellFormed() && !response.text.isEmpty)
                if spoolIsThere { #expect(try await bench.nothingIsLeft()) }
            }
            return try #require(await status.first { _ in true })
        }
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let number: Int
        let what: String
        let status: Int
        let fault: @Sendable (inout Attempt) -> Void
        var testDescription: String { "\(number): \(what)" }

        init(_ number: Int, _ what: String, _ status: Int, _ fault: @escaping @Sendable (inout Attempt) -> Void) {
            self.number = number
            self.what = what
            self.status = status
            self.fault = fault
        }

        /// An operator names a dump on the server.
        static func dump(
            _ what: String, _ status: Int, _ name: String, type: String = "application/x-tar",
            taskType: String = "2", isOperator: Bool = true
        ) -> Row {
            Row(13, what, status) { attempt in
                // Directories that every system has, with more than one file in each.
                attempt.limits.serverDumps = ["/usr"]
                attempt.more[.coreFileDirectory] = name
                attempt.more[.taskType] = taskType
                attempt.type = type
                attempt.isOperator = isOperator
            }
        }

        /// What ingest says of the upload.
        static func verdict(_ number: Int, _ code: String, _ status: Int) -> Row {
            Row(number, code, status) { attempt in
                let error = StageError(.ingest, StageError.Code(code), "Because.")
                attempt.ingest = { _, _ in replies([.pickedUp, .refused(error)]) }
            }
        }
    }

    private static let rows: [Row] = [
        Row(1, "plain HTTP where HTTPS is required", 403) { $0.access.requireHTTPS = true },
        Row(2, "as many tasks as may be", 503) { $0.limits.maxParallelTasks = 0 },
        Row(3, "not POST", 405) { $0.method = .put },
        Row(4, "another media type", 415) { $0.type = "application/zip" },
        Row(5, "no length", 411) { $0.body = nil },
        Row(6, "longer than may be", 413) { $0.limits.maxPackedMebibytes = 0 },
        Row(7, "a directory of the server", 403) {
            $0.limits.serverDumps = []
            $0.more[.coreFileDirectory] = "/var/spool/abrt"
        },
        Row(8, "no spool", 500) {
            $0.spoolIsThere = false
            $0.freeBytes = { try availableBytes(at: $0) }
        },
        Row(9, "unknown free space", 500) { $0.freeBytes = { _ in throw Errno.ioError } },
        Row(10, "too little free space", 507) { $0.freeBytes = { _ in 1 << 20 } },
        Row(20, "interactive", 409) { $0.more[.taskType] = "3" },
        Row(20, "a type that is no number, which upstream did not handle", 400) { $0.more[.taskType] = "core" },
        .dump("a dump that is named by somebody elsewhere", 403, "/usr/bin/env", isOperator: false),
        .dump("the core of a program", 403, "/usr/bin/env", taskType: "0"),
        .dump("a dump outside of the directories", 403, "/etc/passwd"),
        .dump("no dump of that name", 404, "/usr/bin/no-such-dump"),
        .dump("a directory of several files", 501, "/usr/bin"),
        .dump("a dump of another type", 409, "/usr/bin/env", type: "application/x-gzip"),
        Row(11, "no task can be made", 500) { $0.spoolIsThere = false },
        .verdict(15, "not-an-archive", 403),
        .verdict(15, "content-type-mismatch", 403),
        .verdict(16, "unpacked-too-large", 413),
        .verdict(16, "decompression-bomb", 413),
        .verdict(17, "disk-full", 507),
        .verdict(18, "truncated-archive", 403),
        .verdict(18, "damaged-archive", 403),
        .verdict(19, "unsafe-member", 403),
        .verdict(19, "unexpected-member", 403),
        .verdict(19, "member-too-large", 403),
        .verdict(21, "missing-member", 403),
        .verdict(21, "wrong-task-type", 403),
        .verdict(22, "not-a-vmcore", 403),
        .verdict(22, "damaged-vmcore", 403),
        .verdict(22, "internal-error", 500),
        Row(23, "the broker is away", 503) {
            $0.ingest = { _, _ in AsyncThrowingStream { $0.finish(throwing: Errno.ioError) } }
        },
        Row(24, "a good upload", 201) { _ in },
        Row(24, "a number that nobody knows is a coredump", 201) { $0.more[.taskType] = "7" },
    ]

    /// Rows that cannot happen here, and why.
    private static let impossible = [
        12: "Counting and admitting are one step, so no task comes to be over the limit."
    ]

    /// Rows that need more than one request and a server with a fault, and the test that walks them.
    private static let elsewhere = [
        14: "AdmissionTests.bodyThatCannotBeStoredIs500AndLeavesNothing"
    ]

    @Test func everyRowOfUpstreamIsHere() {
        let tested = Set(Self.rows.map(\.number))
        #expect(tested.union(Self.impossible.keys).union(Self.elsewhere.keys) == Set(1...24))
        #expect(tested.isDisjoint(with: Self.impossible.keys))
    }

    @Test(arguments: rows) func rowHasItsStatus(row: Row) async throws {
        var attempt = Attempt()
        row.fault(&attempt)
        #expect(try await attempt.status() == row.status)
    }

    /// The rows stand in upstream's order but for two, which come before row 11. X-Task-Type (20), at which upstream looks
    /// after unpacking, needs nothing but the header, so a refusal shall cost neither an upload nor a task. A dump on the
    /// server (13) needs no task either; upstream makes the task first and leaves it behind when it then refuses the dump.
    @Test(arguments: rows.indices) func requestWithTwoFaultsGetsTheEarlierAnswer(index: Int) async throws {
        let first = Self.rows[index]
        guard first.status != 201 else { return }
        for second in Self.rows.dropFirst(index + 1) where second.number != first.number && second.status != 201 {
            // Either stands for an ingest of its own.
            if first.number > 13, first.number != 20 { break }
            var attempt = Attempt()
            second.fault(&attempt)
            first.fault(&attempt)
            #expect(try await attempt.status() == first.status, "\(first.what), then \(second.what)")
        }
    }
}
