import Glibc

/// ABRT's retrace client, to the letter of `abrt-retrace-client.c` (ABRT 2.15, libsoup 3), as far as a server can tell it
/// from another: what it sends, how it reads the answers, and when it gives up.
package struct ABRTClient: Sendable {
    package let connection: ABRTConnection
    /// The locale's charset, which goes with every request, and the languages that libsoup adds.
    package var charset = "UTF-8"
    package var languages: String?

    /// Why the client ends with an error, in the program's sense: it prints this and exits with 1.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
        init(_ description: String) { self.description = description }
    }

    /// A crash as it lies in a problem directory.
    package struct Crash: Sendable {
        /// The raw files' sizes together, in bytes.
        package let unpackedBytes: Int
        /// The tar of bare names, piped through `xz -2`.
        package let archive: [UInt8]
        /// `<product>-<version>-<architecture>`, as the client builds it.
        package let releaseID: String
        /// `name-version-release`, and the machine's architecture.
        package let package: String
        package let architecture: String
        package let isVmcore: Bool

        package init(
            archive: [UInt8], unpackedBytes: Int, releaseID: String, package: String, architecture: String = "x86_64",
            isVmcore: Bool = false
        ) {
            self.archive = archive
            self.unpackedBytes = unpackedBytes
            self.releaseID = releaseID
            self.package = package
            self.architecture = architecture
            self.isVmcore = isVmcore
        }
    }

    /// What the client knows a task by: two strings that it never looks into.
    package struct Ticket: Sendable, Equatable {
        package let id: String
        package let password: String

        package init(id: String, password: String) {
            self.id = id
            self.password = password
        }
    }

    package init(port: Int) {
        connection = ABRTConnection(port: UInt16(clamping: port))
    }

    private static let format = "application/x-xz-compressed-tar"

    private func request(
        _ method: String, _ path: String, _ more: [(String, String)] = [], _ body: [UInt8]? = nil
    ) async throws -> ABRTConnection.Reply {
        let common = [("Accept-Charset", charset)] + (languages.map { [("Accept-Language", $0)] } ?? [])
        return try await connection.exchange(method, path, common + more, body)
    }

    /// One GET with the headers that every request carries, for what the client itself does not look at.
    package func ask(_ path: String, _ more: [(String, String)]) async throws -> ABRTConnection.Reply {
        try await request("GET", path, more)
    }

    package func settings() async throws -> ABRTSettings { try ABRTSettings(try await request("GET", "/settings")) }

    /// What the client checks by itself, before it sends one byte of a crash.
    package func check(_ crash: Crash, against settings: ABRTSettings) throws {
        guard settings.runningTasks < settings.maxRunningTasks else { throw Failure("the server is fully occupied") }
        guard settings.formats.contains(Self.format) else { throw Failure("the server does not support xz") }
        guard crash.unpackedBytes <= settings.maxUnpackedSize << 20 else { throw Failure("the crash is too large") }
        guard crash.isVmcore || settings.releases.contains(crash.releaseID) else {
            throw Failure("release \(crash.releaseID) is not supported")
        }
        guard crash.archive.count <= settings.maxPackedSize << 20 else { throw Failure("the archive is too large") }
    }

    /// - Returns: Whether the server knows the package.
    package func checkPackage(_ crash: Crash) async throws -> Bool {
        let reply = try await request(
            "GET", "/checkpackage",
            [
                ("X-Package-NVR", crash.package), ("X-Package-Arch", crash.architecture),
                ("X-OS-Release", crash.releaseID),
            ])
        switch reply.status {
        case 302: return true
        case 404: return false
        default: throw Failure("checkpackage: unexpected \(reply.status)")
        }
    }

    package func create(_ crash: Crash) async throws -> Ticket {
        let reply = try await request(
            "POST", "/create",
            [
                ("Content-Type", Self.format), ("Content-Length", String(crash.archive.count)),
                ("X-Task-Type", crash.isVmcore ? "2" : "0"),
            ], crash.archive)
        let body = String(decoding: reply.body, as: UTF8.self)
        switch reply.status {
        case 201: break
        case 500, 507: throw Failure(body)
        case 403: throw Failure("the archive is malicious or corrupt")
        default: throw Failure("unexpected \(reply.status): \(body)")
        }
        guard let id = reply.header("X-Task-Id"), let password = reply.header("X-Task-Password") else {
            throw Failure("the answer has no task id or no password")
        }
        return Ticket(id: id, password: password)
    }

    private func get(_ ticket: Ticket, _ path: String) async throws -> ABRTConnection.Reply {
        try await request("GET", "/\(ticket.id)\(path)", [("X-Task-Password", ticket.password)])
    }

    private func text(_ reply: ABRTConnection.Reply, _ what: String) throws -> String {
        guard reply.status == 200 else { throw Failure("\(what): unexpected \(reply.status)") }
        guard !reply.body.isEmpty else { throw Failure("\(what): an empty body becomes a NULL string") }
        return String(decoding: reply.body, as: UTF8.self)
    }

    /// - Returns: X-Task-Status as it is, and the text.
    package func status(_ ticket: Ticket) async throws -> (status: String, text: String) {
        let reply = try await get(ticket, "")
        let body = try text(reply, "status")
        guard let status = reply.header("X-Task-Status") else { throw Failure("status: no X-Task-Status") }
        return (status, body)
    }

    package func backtrace(_ ticket: Ticket) async throws -> String {
        try text(try await get(ticket, "/backtrace"), "backtrace")
    }
    package func log(_ ticket: Ticket) async throws -> String { try text(try await get(ticket, "/log"), "log") }

    /// - Returns: nil where the server has none.
    package func exploitable(_ ticket: Ticket) async throws -> String? {
        let reply = try await get(ticket, "/exploitable")
        return reply.status == 404 ? nil : try text(reply, "exploitable")
    }

    /// The number after the last colon; ABRT keeps the text when it is 4 or more.
    package static func rating(of exploitable: String) -> Int? {
        exploitable.lastIndex(of: ":").map { Int(atoi(String(exploitable[exploitable.index(after: $0)...]))) }
    }

    /// How a batch ended.
    package struct Outcome: Sendable {
        package let ticket: Ticket
        /// What was printed: every status text that differed from the one before.
        package let printed: [String]
        package let status: String
        package let backtrace: String?
        package let exploitable: String?
        package let log: String?
    }

    /// Everything that `abrt-retrace-client batch` does, in its order.
    ///
    /// - Parameter pause: What stands for the sleep between two looks at the status.
    package func batch(_ crash: Crash, pause: () async throws -> Void) async throws -> Outcome {
        try check(crash, against: try await settings())
        if !crash.isVmcore {
            guard try await checkPackage(crash) else { throw Failure("the server does not know \(crash.package)") }
        }
        return try await follow(try await create(crash), isVmcore: crash.isVmcore, pause: pause)
    }

    /// The loop of a batch: to the end of the task, and its results.
    package func follow(
        _ ticket: Ticket, isVmcore: Bool = false, pause: () async throws -> Void
    ) async throws -> Outcome {
        var printed: [String] = []
        var status = ""
        while !status.hasPrefix("FINISHED") {
            try await pause()
            let answer = try await self.status(ticket)
            if answer.text != printed.last { printed.append(answer.text) }
            status = answer.status
        }
        guard status == "FINISHED_SUCCESS" else {
            return Outcome(
                ticket: ticket, printed: printed, status: status, backtrace: nil, exploitable: nil,
                log: try await log(ticket))
        }
        return Outcome(
            ticket: ticket, printed: printed, status: status, backtrace: try await backtrace(ticket),
            exploitable: isVmcore ? nil : try await exploitable(ticket), log: nil)
    }
}
