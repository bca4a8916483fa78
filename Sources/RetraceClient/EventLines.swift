import FoundationEssentials
import NIOCore

/// Reads server-sent events (WHATWG HTML, 9.2) and gives the statuses of a task that are in them.
struct EventLines {
    private var line: [UInt8] = []
    private var name = ""
    private var data: [UInt8] = []

    /// The longest line that is kept, in bytes; what is longer is no status.
    private static let maximumBytes = 1 << 20

    /// The keys of a status that the client shows.
    private struct Status: Decodable {
        let state: String
        let text: String
    }

    /// Takes a piece as it came, and gives the statuses that it completes.
    mutating func take(_ piece: ByteBuffer) -> [TaskStatus] {
        var found: [TaskStatus] = []
        for byte in piece.readableBytesView {
            if byte == UInt8(ascii: "\n") {
                if let status = endLine() { found.append(status) }
            } else if line.count <= Self.maximumBytes {
                line.append(byte)
            }
        }
        return found
    }

    private mutating func endLine() -> TaskStatus? {
        defer { line.removeAll(keepingCapacity: true) }
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        guard !line.isEmpty else {
            defer { (name, data) = ("", []) }
            guard name == "status", data.count < Self.maximumBytes,
                let status = try? JSONDecoder().decode(Status.self, from: Data(data))
            else { return nil }
            return TaskStatus(word: status.state, body: status.text)
        }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        var value = line[min(colon + 1, line.endIndex)...]
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        switch String(decoding: line[..<colon], as: UTF8.self) {
        case "event": name = String(decoding: value, as: UTF8.self)
        case "data": data = Array(value)
        default: break
        }
        return nil
    }
}
