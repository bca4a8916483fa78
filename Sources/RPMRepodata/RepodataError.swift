/// Why the metadata of an RPM repository cannot be used.
package enum RepodataError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file cannot be opened or decompressed.
    case unreadable(String)
    /// It is not the XML that it should be.
    case malformed(file: String, reason: String)
    /// It is larger than a repository's metadata ever is.
    case tooLarge(file: String, reason: String)

    package var description: String {
        switch self {
        case .unreadable(let reason): reason
        case .malformed(let file, let reason): "\(file) is no repository metadata: \(reason)"
        case .tooLarge(let file, let reason): "\(file) is too large: \(reason)"
        }
    }
}

/// How much metadata is read before it is refused.
package struct RepodataLimits: Hashable, Sendable {
    /// Decompressed bytes of one file; Fedora's file lists have 1 GB.
    package var fileBytes: Int64 = 16 << 30
    /// Files of one package that were asked for; a kernel's debuginfo has some 5,000.
    package var filesPerPackage = 200_000
    /// Bytes of names that are kept while the two files tell of packages in different orders.
    package var waitingBytes = 256 << 20
    /// Bytes of one value.
    package var valueBytes = 4096

    package init() {}
}
