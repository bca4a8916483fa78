package import SystemPackage

/// Real data made by others, which lies beside the checkout on the project's machines and is never copied into it.
package enum FixtureFolder {
    /// `../shared/fixtures` seen from the checkout; nil where it is absent.
    ///
    /// Tests that use it say so in their name's suite and skip themselves with `.enabled(if:)`.
    package static let path: FilePath? = {
        var checkout = FilePath(#filePath)
        for _ in 0..<3 { checkout.removeLastComponent() }
        let folder = checkout.removingLastComponent().appending("shared/fixtures")
        let found = try? FileDescriptor.open(folder, .readOnly, options: [.directory, .closeOnExec])
        guard let found else { return nil }
        try? found.close()
        return folder
    }()
}
