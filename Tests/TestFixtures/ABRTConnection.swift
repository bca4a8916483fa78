import Glibc
import NIOPosix
import SystemPackage

/// One HTTP/1.1 exchange over a socket of its own, as libsoup makes it for ABRT's client: LF is the end of a line, a lone
/// CR is none, redirects are followed, and 60 seconds of silence are the end.
package struct ABRTConnection: Sendable {
    let port: UInt16
    /// Seconds of silence after which libsoup gives up.
    var silence = 60

    /// Threads of its own: a gateway in the same process does its disk work on the singleton's, which must not wait for us.
    private static let threads: NIOThreadPool = {
        let threads = NIOThreadPool(numberOfThreads: 8)
        threads.start()
        return threads
    }()

    /// What came back.
    package struct Reply: Sendable {
        package let status: Int
        package let headers: [(name: String, value: String)]
        package let body: [UInt8]

        package init(status: Int, headers: [(name: String, value: String)], body: [UInt8]) {
            self.status = status
            self.headers = headers
            self.body = body
        }

        /// The first header of this name, in whatever case.
        package func header(_ name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }
    }

    /// - Throws: ``ABRTClient/Failure`` for an answer that is no HTTP, or none at all; `Errno` from the socket.
    func exchange(
        _ method: String, _ path: String, _ headers: [(String, String)], _ body: [UInt8]? = nil
    ) async throws -> Reply {
        try await Self.threads.runIfActive { try follow(method, path, headers, body) }
    }

    private func follow(
        _ method: String, _ path: String, _ headers: [(String, String)], _ body: [UInt8]?
    ) throws -> Reply {
        let reply = try once(method, path, headers, body)
        guard (301...303).contains(reply.status) || reply.status == 307, let location = reply.header("Location") else {
            return reply
        }
        // libsoup: GET after 301, 302 and 303, and the headers that describe a body go with the body.
        guard reply.status != 307 else { return try once(method, location, headers, body) }
        return try once("GET", location, headers.filter { !$0.0.hasPrefix("Content-") })
    }

    private func once(
        _ method: String, _ path: String, _ headers: [(String, String)], _ body: [UInt8]? = nil
    ) throws -> Reply {
        let socket = try connected()
        defer { close(socket) }
        var head = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        try send(Array((head + "\r\n").utf8) + (body ?? []), on: socket)
        return try Self.read(try receiveAll(on: socket))
    }

    private func connected() throws -> CInt {
        let socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { throw Errno(rawValue: errno) }
        var limit = timeval(tv_sec: silence, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let answer = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard answer == 0 else {
            let reason = Errno(rawValue: errno)
            close(socket)
            throw reason
        }
        return socket
    }

    /// libsoup looks for the answer when all is sent, and gives up when that fails.
    private func send(_ bytes: [UInt8], on socket: CInt) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
            guard sent > 0 else { throw Errno(rawValue: errno) }
            rest = rest.dropFirst(sent)
        }
    }

    private func receiveAll(on socket: CInt) throws -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let got = recv(socket, &buffer, buffer.count, 0)
            if got == 0 { return all }
            guard got > 0 else {
                let silent = errno == EAGAIN
                throw ABRTClient.Failure(silent ? "no byte for \(silence) seconds" : "\(Errno(rawValue: errno))")
            }
            all += buffer[..<got]
        }
    }

    static func read(_ bytes: [UInt8]) throws -> Reply {
        var lines: [String] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: 0x0a) {
            let line = rest[..<end]
            rest = rest[(end + 1)...]
            let text = String(decoding: line.last == 0x0d ? line.dropLast() : line, as: UTF8.self)
            if text.isEmpty { break }
            lines.append(text)
        }
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            throw ABRTClient.Failure("no HTTP: \(lines.first ?? "nothing at all")")
        }
        if status == 100 { return try read(Array(rest)) }
        let headers = lines.dropFirst().map { line -> (name: String, value: String) in
            guard let colon = line.firstIndex(of: ":") else { return (line, "") }
            return (String(line[..<colon]), String(line[line.index(after: colon)...].drop { $0 == " " }))
        }
        let reply = Reply(status: status, headers: headers, body: Array(rest))
        guard let length = reply.header("Content-Length").flatMap(Int.init) else { return reply }
        guard rest.count >= length else { throw ABRTClient.Failure("\(rest.count) of \(length) bytes came") }
        return Reply(status: status, headers: headers, body: Array(rest.prefix(length)))
    }
}
