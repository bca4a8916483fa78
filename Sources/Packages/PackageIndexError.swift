/// Why a package index could not be read or made.
package enum PackageIndexError: Error, Equatable, CustomStringConvertible {
    /// The file is no index, or its contents contradict each other; the text is SQLite's.
    case damaged(String)
    /// The file was made by another version of this program.
    case wrongSchema(found: Int, expected: Int)
    /// The system refused: no space, no permission.
    case inputOutput(String)

    package var description: String {
        switch self {
        case .damaged(let detail): "the package index is damaged (\(detail)); the next synchronisation makes it afresh"
        case .wrongSchema(let found, let expected):
            "the package index has schema \(found) and this program reads \(expected); synchronise the release again"
        case .inputOutput(let detail): "the package index could not be used: \(detail)"
        }
    }
}
