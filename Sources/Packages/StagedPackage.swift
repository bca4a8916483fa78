/// A package on its way into an index.
package struct StagedPackage: Sendable {
    package let package: IndexedPackage
    package let files: [IndexedPath]
    /// Where it can be fetched when it is needed; nil for one that is in the mirror for good.
    package let offer: PackageOffer?

    package init(_ package: IndexedPackage, files: [IndexedPath], offer: PackageOffer? = nil) {
        self.package = package
        self.files = files
        self.offer = offer
    }

    /// A package of which only the names of its files are known, as an RPM repository's metadata has them.
    ///
    /// - Parameter names: Absolute paths; those of no use for debugging are passed over.
    package init(_ package: IndexedPackage, names: [String], offer: PackageOffer? = nil) {
        self.init(package, files: Self.files(named: names), offer: offer)
    }

    /// What the names of files alone tell; those of no use for debugging are passed over.
    package static func files(named names: [String]) -> [IndexedPath] {
        var files: [IndexedPath] = []
        files.reserveCapacity(names.count)
        var hasBuildIDs = false
        for name in names {
            guard let file = PathClass(usrMerged(name)).named() else { continue }
            hasBuildIDs = hasBuildIDs || file.kind == .debug
            files.append(file)
        }
        // Debug files that go by build-id are not looked for by path as well.
        if hasBuildIDs { files.removeAll { $0.kind == .debugByPath } }
        return files
    }
}
