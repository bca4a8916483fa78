import FoundationEssentials

/// `backtrace.json` of a kernel, as a client reads it.
struct DecodedKernel: Decodable {
    let kernel: Kernel
    let threads: [Thread]
    let remarks: [String]

    struct Kernel: Decodable {
        let verified: Bool?
        let panic: String?
        let rung: String
        let refusals: [Refusal]
        let taint: [Taint]?
        let cpu: Int?
        let command: String?
        let modules: [Module]
    }

    struct Refusal: Decodable {
        let rung: String
        let reason: String
    }

    struct Taint: Decodable {
        let letter: String
    }

    struct Module: Decodable {
        let name: String
        let symbols: Bool
    }

    struct Thread: Decodable {
        let name: String?
        let crashed: Bool
        let frames: [Frame]
    }

    struct Frame: Decodable {
        let function: String?
        let offset: UInt64?
        let file: String?
        let line: Int?
        let module: String?
    }

    init(_ json: String) throws { self = try JSONDecoder().decode(Self.self, from: Data(json.utf8)) }
}
