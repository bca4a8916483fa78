import Glibc
import NIOPosix
import SystemPackage

/// Where blocking clients wait: the singleton has two threads on two cores, and the gateway works with the disk there.
let clientThreads: NIOThreadPool = {
    let threads = NIOThreadPool(numberOfThreads: 64)
    threads.start()
    return threads
}()

/// A TCP connection to the loopback that sends what no well-behaved client would. Blocking; runs on a thread pool.
struct RawConnection: ~Copyable {
    private let socket: CInt

    init(port: Int?) throws { socket = try Self.connected(to: port) }

    private static func connected(to port: Int?) throws -> CInt {
        guard let port = port.flatMap(UInt16.init(exactly:)) else { throw Errno.invalidArgument }
        let socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { throw Errno(rawValue: errno) }
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

    deinit { close(socket) }

    func send(_ bytes: some Collection<UInt8>) throws {
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            guard sent > 0 else { throw Errno(rawValue: errno) }
            rest = rest.dropFirst(sent)
        }
    }

    /// Everything until `mark` has come, or the server closes.
    func receive(until mark: String) -> String {
        var all: [UInt8] = []
        var byte: UInt8 = 0
        while !all.suffix(mark.utf8.count).elementsEqual(mark.utf8), recv(socket, &byte, 1, 0) == 1 { all.append(byte) }
        return String(decoding: all, as: UTF8.self)
    }

    /// Tells the server that nothing more will come.
    func finishSending() { shutdown(socket, CInt(SHUT_WR)) }

    /// The connection will end with a reset, as when the client's host loses it (socket(7), SO_LINGER).
    func resetWhenClosed() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    }

    /// Everything until the server closes.
    ///
    /// - Parameter progress: Called with all that has come so far whenever more has come.
    func receiveAll(progress: (String) -> Void = { _ in }) -> String {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let got = recv(socket, &buffer, buffer.count, 0)
            guard got > 0 else { return String(decoding: all, as: UTF8.self) }
            all += buffer[..<got]
            progress(String(decoding: all, as: UTF8.self))
        }
    }

    /// What comes first.
    func receiveSome() -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let got = recv(socket, &buffer, buffer.count, 0)
        return String(decoding: buffer[..<max(0, got)], as: UTF8.self)
    }
}

/// Sends `request` and gives what comes back until the server closes.
func exchange(_ request: String, port: Int?) async throws -> String {
    try await clientThreads.runIfActive {
        let connection = try RawConnection(port: port)
        try connection.send(request.utf8)
        return connection.receiveAll()
    }
}
