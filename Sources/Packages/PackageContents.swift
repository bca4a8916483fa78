/// What is in a package file and matters for debugging.
package struct PackageContents: Hashable, Sendable {
    /// In the package's order.
    package let paths: [IndexedPath]
    /// What was left out and why, a sentence each.
    package let remarks: [String]

    package init(paths: [IndexedPath], remarks: [String] = []) {
        self.paths = paths
        self.remarks = remarks
    }
}

/// Why a package file could not be read: a sentence that names no path of the server.
package struct UnreadablePackage: Error, Hashable, Sendable, CustomStringConvertible {
    package let reason: String

    package init(reason: String) { self.reason = reason }

    package var description: String { "the package cannot be read: \(reason)" }
}
