import HTTPTypes

/// What a client would rather have, from a header of weighted names such as `Accept` (RFC 9110, 12.4.2 and 12.5.1).
struct AcceptedNames {
    /// Names in lower case with their weights, 0 to 1000.
    private let weights: [String: Int]

    /// - Parameter field: The header's value; nil where it was not sent.
    init(_ field: String?) {
        var weights: [String: Int] = [:]
        for item in (field ?? "").prefix(4096).split(separator: ",").prefix(64) {
            let parts = item.split(separator: ";", omittingEmptySubsequences: false).map { $0.filter { $0 != " " } }
            guard let name = parts.first?.lowercased(), !name.isEmpty else { continue }
            let quality = parts.dropFirst().last { $0.lowercased().hasPrefix("q=") }?.dropFirst(2)
            weights[name] = quality.map { Int(((Double($0) ?? 0) * 1000).rounded(.down).clamped) } ?? 1000
        }
        self.weights = weights
    }

    /// The weight of exactly this name; nil where it is not named.
    func weight(of name: String) -> Int? { weights[name] }
}

extension Double {
    /// Within 0 and 1000; 0 for what is no number.
    fileprivate var clamped: Double { isNaN ? 0 : Swift.min(1000, Swift.max(0, self)) }
}

/// The forms in which the status of a task can be given.
enum StatusForm {
    case text
    case json
    case page

    /// Text, which ABRT's clients read, unless the client names another form with a greater weight; `*/*` names none.
    init(accept: String?) {
        let names = AcceptedNames(accept)
        let text = names.weight(of: "text/plain") ?? 0
        let json = names.weight(of: "application/json") ?? 0
        let page = max(names.weight(of: "text/html") ?? 0, names.weight(of: "application/xhtml+xml") ?? 0)
        if page > text, page >= json {
            self = .page
        } else {
            self = json > text ? .json : .text
        }
    }
}
