import CrashModel

/// The packages of a synchronisation that no mirror gave as announced. The others are mirrored and indexed all the same;
/// then the synchronisation fails with these.
struct UnfetchedPackages: Sendable {
    private(set) var digests: Set<String> = []
    private var errors: [StageError] = []
    private var failuresInARow = 0

    /// So many failures in a row mean that the mirrors are down, and asking for each of thousands would take a day.
    private static let patience = 24

    var isEmpty: Bool { errors.isEmpty }
    /// Whether it is of no use to ask for more.
    var isHopeless: Bool { failuresInARow >= Self.patience }

    /// Notes what became of a package.
    ///
    /// - Parameter error: nil for one that came.
    mutating func note(_ sha256: String, _ error: StageError?) {
        guard let error else {
            failuresInARow = 0
            return
        }
        failuresInARow += 1
        digests.insert(sha256)
        errors.append(error)
    }

    /// Whether an error is of one package only; any other ends the synchronisation.
    static func isOfOnePackage(_ error: StageError) -> Bool {
        [.mirrorsUnreachable, .alteredFile].contains(error.code)
    }

    /// What the synchronisation fails with.
    ///
    /// - Parameter count: Of the packages that were to be fetched.
    func failure(of count: Int) -> StageError? {
        guard let first = errors.first(where: { $0.code == .alteredFile }) ?? errors.first else { return nil }
        guard errors.count > 1 else { return first }
        let list = errors.prefix(8).map(\.reason).joined(separator: " ")
        let more = errors.count > 8 ? " And \(errors.count - 8) others." : ""
        let rest = isHopeless ? " The rest was not asked for." : ""
        // What comes later is tried again, though something else was altered.
        let isLate = errors.contains { $0.code == .mirrorsUnreachable }
        return .sync(
            first.code,
            "\(errors.count) of \(count) packages could not be fetched; what did come is in the index. \(list)\(more)\(rest)",
            advice: first.advice, retryAfter: isLate ? .seconds(60) : nil)
    }
}
