import Synchronization
package import SystemPackage

/// The metadata of an RPM repository, read piece by piece: ``readRepodata(primary:fileLists:limits:isWanted:_:)`` for whom
/// the next packages are to be read while the last ones are dealt with.
package final class RepodataReader: Sendable {
    private let state: Mutex<State>

    private struct State {
        let packages: PrimaryCollector
        let document: XMLDocument
        let files: FileListQueue?
        var ahead: ArraySlice<RepodataPackage> = []
        var summary = RepodataSummary()
    }

    /// - Throws: ``RepodataError`` for a file that cannot be opened. Parameters as of `readRepodata`.
    package init(
        primary: FilePath, fileLists: FilePath?, limits: RepodataLimits = RepodataLimits(),
        isWanted: @escaping @Sendable (UnsafeBufferPointer<UInt8>) -> Bool = { _ in true }
    ) throws {
        let packages = PrimaryCollector(limits)
        state = Mutex(
            State(
                packages: packages, document: try XMLDocument(primary, limit: limits.fileBytes, collector: packages),
                files: try fileLists.map { try FileListQueue($0, limits, isWanted) }))
    }

    /// How much was read so far.
    package var summary: RepodataSummary {
        state.withLock { state in
            var summary = state.summary
            summary.unusableCount = state.packages.unusableCount
            return summary
        }
    }

    /// The next packages, at most `count`; none at the end. Blocking.
    ///
    /// - Throws: ``RepodataError``.
    package func next(_ count: Int) throws -> [RepodataPackage] {
        try state.withLock { state in
            var found: [RepodataPackage] = []
            while found.count < count {
                if state.ahead.isEmpty {
                    let hasMore = try state.document.advance()
                    state.ahead = state.packages.take()[...]
                    if !hasMore, state.ahead.isEmpty { break }
                }
                guard var package = state.ahead.popFirst() else { continue }
                if let files = state.files { package.files = try files.files(of: package.sha256) }
                found.append(package)
            }
            state.summary.packageCount += found.count
            return found
        }
    }
}
