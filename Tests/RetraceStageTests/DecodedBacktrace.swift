import FoundationEssentials

@testable import RetraceStage

/// `backtrace.json` as a client reads it.
struct DecodedBacktrace: Decodable {
    let version: Int
    let threads: [Thread]
    let modules: [Module]
    let quality: String
    let remarks: [String]
    let exploitability: Exploitability

    struct Exploitability: Decodable {
        let rating: Int
        let reasons: [Reason]
    }

    struct Reason: Decodable {
        let rule: String
    }

    struct Thread: Decodable {
        let number: Int
        let name: String?
        let crashed: Bool
        let frames: [Frame]
        let endReason: String?

        private enum CodingKeys: String, CodingKey {
            case number, name, crashed, frames
            case endReason = "end_reason"
        }
    }

    struct Frame: Decodable {
        let level: Int
        let address: String
        let function: String?
        let file: String?
        let line: Int?
        let module: String?
        let package: String?
        let inlined: Bool
        let arguments: [Variable]
        let locals: [Variable]
    }

    struct Variable: Decodable, Equatable {
        let name: String
        let value: String
    }

    struct Module: Decodable {
        let path: String
        let status: String
        let reason: String?
    }

    init(_ json: String) throws { self = try JSONDecoder().decode(Self.self, from: Data(json.utf8)) }

    /// The threads in gdb's order, with what the text tells too.
    var comparable: [[TextFrame]] {
        threads.sorted { $0.number < $1.number }.map { thread in
            thread.frames.map {
                TextFrame(level: $0.level, address: nil, function: $0.function, file: $0.file, line: $0.line)
            }
        }
    }
}

/// The frames of gdb's text, by thread in gdb's order, without addresses, which it leaves out of some lines; without the
/// threads of which the text prints something else than frames.
func comparable(_ text: String) -> [[TextFrame]] {
    textThreads(in: text).filter { !$0.frames.isEmpty }.sorted { $0.number < $1.number }.map { thread in
        thread.frames.map {
            TextFrame(level: $0.level, address: nil, function: $0.function, file: $0.file, line: $0.line)
        }
    }
}
