import FoundationEssentials

/// `backtrace.json` of a kernel as a client reads it.
package struct DecodedKernel: Decodable {
    package let crash_function: String?
    package let kernel: Kernel
    package let threads: [Thread]
    package let remarks: [String]

    package struct Kernel: Decodable {
        package let release: String?
        package let build_id: String?
        package let verified: Bool?
        package let panic: String?
        package let rung: String
        package let refusals: [Refusal]
        package let crash_options: [String]
        package let taint: [Taint]?
        package let cpu: Int?
        package let command: String?
        package let modules: [Module]
    }

    package struct Refusal: Decodable {
        package let rung: String
        package let reason: String
    }

    package struct Taint: Decodable {
        package let letter: String
    }

    package struct Module: Decodable {
        package let name: String
        package let symbols: Bool
    }

    package struct Thread: Decodable {
        package let name: String?
        package let crashed: Bool
        package let frames: [Frame]
    }

    package struct Frame: Decodable, Hashable {
        package let function: String?
        package let offset: UInt64?
        package let file: String?
        package let line: Int?
        package let module: String?
    }

    package init(_ json: String) throws { self = try JSONDecoder().decode(Self.self, from: Data(json.utf8)) }

    /// The frames of the task that panicked.
    package var frames: [Frame] { threads.first { $0.crashed }?.frames ?? [] }

    package func frame(_ function: String) -> Frame? { frames.first { $0.function == function } }
}
