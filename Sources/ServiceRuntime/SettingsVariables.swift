/// A line for each variable that looks like a setting of this service and is none.
///
/// A variable belongs to a service when its first word is one of the service's sections, as `HTTP` of
/// `RETRACE_HTTP_REQUIREHTPS`, or when it is one slip of the pen away from a setting. Others pass: scripts and clients have
/// variables of their own, and an environment may be shared by all services.
///
/// - Parameter variables: Those whose names begin with `RETRACE_`.
func unknownVariables(in variables: [String: String], keys: [ConfigurationKey]) -> [String] {
    let known = Set(keys.map(\.variable))
    let sections = Set(keys.compactMap(\.section)).subtracting(ConfigurationKey.sharedSections)
    var faults: [String] = []
    for name in variables.keys.sorted() where !known.contains(name) {
        let upper = name.uppercased()
        if let meant = known.sorted().first(where: { isAlmost(Array($0.utf8), Array(upper.utf8)) }) {
            faults.append(
                "\(name) in the environment: there is no such setting; \(meant) is the one that is most like it")
        } else if sections.contains(where: { upper.hasPrefix("RETRACE_\($0.uppercased())_") }) {
            faults.append("\(name) in the environment: there is no such setting; '--help' lists those there are")
        }
    }
    return faults
}

extension ConfigurationKey {
    /// Sections of which each service has only some of the settings.
    fileprivate static let sharedSections: Set = ["limits"]

    /// `http` of `http.tls.key`; nil for a key that stands alone.
    fileprivate var section: String? {
        let parts = name.split(separator: ".")
        return parts.count > 1 ? parts.first.map(String.init) : nil
    }
}

/// Whether two names are the same but for one letter too many, too few or wrong, or two in the wrong order.
private func isAlmost(_ one: [UInt8], _ other: [UInt8]) -> Bool {
    let start = zip(one, other).prefix { $0 == $1 }.count
    let (rest, otherRest) = (one.dropFirst(start), other.dropFirst(start))
    if rest.dropFirst(1) == otherRest.dropFirst(1) || rest.dropFirst(1) == otherRest || rest == otherRest.dropFirst(1) {
        return true
    }
    return rest.dropFirst(2) == otherRest.dropFirst(2) && Array(rest.prefix(2)) == Array(otherRest.prefix(2).reversed())
}
