import Distributions
import JobMessages

/// The JSON of `retrace plugin check --json`.
struct PluginCheckReport: Encodable {
    /// Raised when a reader of the previous one would misunderstand.
    let version = 1
    let faults: [Fault]
    let distributions: [CheckedDistribution]

    struct Fault: Encodable {
        let file: String
        let line: Int?
        let key: String?
        let reason: String
    }

    init(_ survey: PluginSurvey, _ distributions: [CheckedDistribution]) {
        faults = survey.faults.map { Fault(file: $0.file, line: $0.line, key: $0.key, reason: $0.reason) }
        self.distributions = distributions
    }

    func text() throws -> String { String(decoding: try JobCoding.encode(self, pretty: true), as: UTF8.self) }
}
