import CrashModel
import FoundationEssentials

/// The file `backtrace.json`, version 1. Keys are only ever added within a version.
struct BacktraceJSON: Encodable {
    let version = 1
    /// `gdb-13.1-3.amd64`; absent where no debugger reads the dump of a kernel.
    let debugger: String?
    /// Absent where nothing on the server goes with the dump of a kernel.
    let release: String?
    let executable: String
    let commandLine: String?
    let signal: SignalJSON?
    let processID: Int?
    let quality: String
    let crashFunction: String?
    let signature: SignatureJSON
    /// Set when the core ends before its headers say it does.
    let truncation: TruncationJSON?
    let remarks: [String]
    /// Absent for a kernel.
    let exploitability: ExploitabilityJSON?
    let threads: [ThreadJSON]
    let modules: [ModuleJSON]
    /// Set for the dump of a kernel.
    let kernel: KernelJSON?

    private enum CodingKeys: String, CodingKey {
        case version, debugger, release, executable
        case commandLine = "command_line"
        case signal
        case processID = "process_id"
        case quality
        case crashFunction = "crash_function"
        case signature, truncation, remarks, exploitability, threads, modules, kernel
    }

    struct SignalJSON: Encodable {
        let number: Int
        let name: String
    }

    struct SignatureJSON: Encodable {
        /// The rules by which it was made; signatures of different versions are not to be compared.
        let version = 1
        let hash: String
        let functions: [String]
    }

    struct TruncationJSON: Encodable {
        let expectedBytes: UInt64
        let actualBytes: UInt64
        private enum CodingKeys: String, CodingKey {
            case expectedBytes = "expected_bytes"
            case actualBytes = "actual_bytes"
        }
    }

    struct ThreadJSON: Encodable {
        let number: Int
        let threadID: Int?
        let name: String?
        let crashed: Bool
        let frames: [FrameJSON]
        /// Why the frames end where they do, when that is not the end of the stack.
        let endReason: String?
        private enum CodingKeys: String, CodingKey {
            case number
            case threadID = "thread_id"
            case name, crashed, frames
            case endReason = "end_reason"
        }
    }

    struct FrameJSON: Encodable {
        let level: Int
        /// Hexadecimal with `0x`, since JSON's numbers do not hold 64 bits everywhere.
        let address: String
        let function: String?
        /// In bytes from the function's begin, where the debugger says it.
        let offset: UInt64?
        let file: String?
        let line: Int?
        let source: SourceJSON?
        let module: String?
        let buildID: String?
        let package: String?
        let inlined: Bool
        let arguments: [VariableJSON]
        let locals: [VariableJSON]
        private enum CodingKeys: String, CodingKey {
            case level, address, function, offset, file, line, source, module
            case buildID = "build_id"
            case package, inlined, arguments, locals
        }
    }

    struct SourceJSON: Encodable {
        let firstLine: Int
        let lines: [String]
        private enum CodingKeys: String, CodingKey {
            case firstLine = "first_line"
            case lines
        }
    }

    struct VariableJSON: Encodable {
        let name: String
        let value: String
    }

    struct ModuleJSON: Encodable {
        let path: String
        let buildID: String?
        let start: String
        let end: String
        let status: String
        let package: String?
        let debugPackage: String?
        /// Why ``status`` is not `complete`.
        let reason: String?
        private enum CodingKeys: String, CodingKey {
            case path
            case buildID = "build_id"
            case start, end, status, package
            case debugPackage = "debug_package"
            case reason
        }
    }
}

extension BacktraceJSON {
    /// The bytes of the file: sorted keys, a newline at the end, no active character raw.
    func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return Array((escapedJSON(String(decoding: try encoder.encode(self), as: UTF8.self)) + "\n").utf8)
    }
}
