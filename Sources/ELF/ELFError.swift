/// Why bytes could not be read as ELF.
package enum ELFError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The system refused to read the file; its word for the cause.
    case unreadable(String)
    /// The magic number is missing.
    case notELF
    /// The file ends inside the named part.
    case truncated(String)
    /// The named part contradicts the ELF specification.
    case malformed(String)

    package var description: String {
        switch self {
        case .unreadable(let cause): "the file cannot be read: \(cause)"
        case .notELF: "the file is not ELF: it does not begin with the bytes 7f 45 4c 46"
        case .truncated(let part): "the file ends inside \(part)"
        case .malformed(let part): "\(part), which no ELF file has"
        }
    }
}
