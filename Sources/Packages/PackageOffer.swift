/// Where a package can be fetched that may not be in the mirror yet.
package struct PackageOffer: Hashable, Sendable {
    /// The plugin's name for the repository.
    package let repository: String
    /// The file, relative to the repository.
    package let path: String

    package init(repository: String, path: String) {
        self.repository = repository
        self.path = path
    }
}
