import FoundationEssentials

@testable import RetraceStage

/// A stack frame as text and data both tell it.
struct SeenFrame: Hashable, CustomStringConvertible {
    let level: Int
    let function: String?
    let place: String?

    var description: String { "#\(level) \(function ?? "??") at \(place ?? "?")" }
}

/// `backtrace.json` as a client reads it.
struct ReadBacktrace: Decodable {
    let threads: [Thread]
    let modules: [Module]
    let quality: String
    let remarks: [String]
    let truncation: Truncation?

    struct Thread: Decodable {
        let number: Int
        let crashed: Bool
        let frames: [Frame]
    }

    struct Frame: Decodable {
        let level: Int
        let function: String?
        let file: String?
        let line: Int?
        let source: Source?
        let package: String?
        let arguments: [Variable]
        let locals: [Variable]
    }

    struct Source: Decodable {
        let first_line: Int
        let lines: [String]
    }

    struct Variable: Decodable, Hashable {
        let name: String
        let value: String
    }

    struct Module: Decodable {
        let path: String
        let status: String
        let package: String?
        let reason: String?
    }

    struct Truncation: Decodable {}

    init(_ json: String) throws { self = try JSONDecoder().decode(Self.self, from: Data(json.utf8)) }

    /// The frames of every thread, in gdb's order.
    var seen: [[SeenFrame]] {
        threads.sorted { $0.number < $1.number }.map { thread in
            thread.frames.map { frame in
                SeenFrame(
                    level: frame.level, function: frame.function,
                    place: frame.file.flatMap { file in frame.line.map { "\(file):\($0)" } })
            }
        }
    }

    /// The frames in a text of gdb, by thread.
    static func seen(in text: String) -> [[SeenFrame]] {
        textThreads(in: text).filter { !$0.frames.isEmpty }.sorted { $0.number < $1.number }.map { thread in
            thread.frames.map { frame in
                SeenFrame(
                    level: frame.level, function: frame.function,
                    place: frame.file.flatMap { file in frame.line.map { "\(file):\($0)" } })
            }
        }
    }
}
