import FoundationEssentials

/// `backtrace.json` of a kernel as a client reads it.
struct ReadKernel: Decodable {
    let crash_function: String?
    let kernel: Kernel
    let threads: [Thread]
    let remarks: [String]

    struct Kernel: Decodable {
        let release: String?
        let build_id: String?
        let verified: Bool?
        let panic: String?
        let rung: String
        let modules: [Module]
    }

    struct Module: Decodable {
        let name: String
        let symbols: Bool
    }

    struct Thread: Decodable {
        let crashed: Bool
        let frames: [Frame]
    }

    struct Frame: Decodable, Hashable {
        let function: String?
        let offset: UInt64?
        let file: String?
        let line: Int?
        let module: String?
    }

    init(_ json: String) throws { self = try JSONDecoder().decode(Self.self, from: Data(json.utf8)) }

    /// The frames of the task that panicked.
    var frames: [Frame] { threads.first { $0.crashed }?.frames ?? [] }

    func frame(_ function: String) -> Frame? { frames.first { $0.function == function } }
}
