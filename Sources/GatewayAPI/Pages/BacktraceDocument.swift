import FoundationEssentials

/// As much of `backtrace.json`, version 1, as the page of a task shows. What is not there is simply not shown.
struct BacktraceDocument: Decodable {
    let executable: String?
    let crashFunction: String?
    let signal: Signal?
    let debugger: String?
    let kernel: Kernel?
    let remarks: [String]?
    let threads: [Thread]?
    let modules: [Module]?

    struct Signal: Decodable {
        let name: String?
    }

    struct Kernel: Decodable {
        let panic: String?
    }

    struct Thread: Decodable {
        let number: Int?
        let name: String?
        let crashed: Bool?
        let frames: [Frame]?
        let endReason: String?

        enum CodingKeys: String, CodingKey {
            case number, name, crashed, frames
            case endReason = "end_reason"
        }
    }

    struct Frame: Decodable {
        let level: Int?
        let address: String?
        let function: String?
        let file: String?
        let line: Int?
        let source: Source?
        let module: String?
        let package: String?
        let inlined: Bool?
        let arguments: [Variable]?
        let locals: [Variable]?
    }

    struct Source: Decodable {
        let firstLine: Int
        let lines: [String]

        enum CodingKeys: String, CodingKey {
            case firstLine = "first_line"
            case lines
        }
    }

    struct Variable: Decodable {
        let name: String
        let value: String
    }

    struct Module: Decodable {
        let path: String?
        let buildID: String?
        let status: String?
        let package: String?
        let reason: String?

        enum CodingKeys: String, CodingKey {
            case path, status, package, reason
            case buildID = "build_id"
        }
    }

    enum CodingKeys: String, CodingKey {
        case executable, signal, debugger, kernel, remarks, threads, modules
        case crashFunction = "crash_function"
    }

    /// nil for what is no such document.
    init?(_ bytes: [UInt8]) {
        guard let document = try? JSONDecoder().decode(Self.self, from: Data(bytes)) else { return nil }
        self = document
    }
}
