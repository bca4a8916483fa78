import FoundationEssentials
import TaskStorage

/// What the analysis of a kernel's dump found out that opening it again needs: with which options crash reads it, and which
/// modules it lists.
struct EarlierAnalysis: Sendable {
    let crashOptions: [String]
    /// nil where nothing was listed.
    let modules: Set<String>?

    private struct Document: Decodable {
        let kernel: Kernel?
    }

    private struct Kernel: Decodable {
        let crashOptions: [String]?
        let modules: [Module]

        private enum CodingKeys: String, CodingKey {
            case crashOptions = "crash_options"
            case modules
        }
    }

    private struct Module: Decodable {
        let name: String
    }

    /// From `backtrace.json`; nothing where there is none. Blocking.
    init(of directory: TaskDirectory) {
        guard let file = try? ResultFile(at: directory.backtraceJSON),
            let bytes = try? file.read(at: 0, count: min(file.byteCount, Self.maximumBytes)),
            let kernel = try? JSONDecoder().decode(Document.self, from: Data(bytes)).kernel
        else {
            crashOptions = []
            modules = nil
            return
        }
        crashOptions = (kernel.crashOptions ?? []).filter { KernelAnalyst.everyOption.contains($0) }
        modules = kernel.modules.isEmpty ? nil : Set(kernel.modules.map { moduleName($0.name) })
    }

    /// More than the frames of a thousand processors.
    private static let maximumBytes = 64 << 20
}
