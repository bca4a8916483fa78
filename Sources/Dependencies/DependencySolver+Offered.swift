import CSolv
import CrashModel

/// A package that the metadata offers, whether anything needs it or not.
package struct OfferedPackage: Hashable, Sendable {
    package let package: SolvedPackage
    /// The size of the package file in bytes; 0 where the metadata does not say.
    package let byteCount: UInt64
    /// The name and the whole version of the source package.
    package let sourceName: String
    package let sourceVersion: String
}

extension DependencySolver {
    /// Every package of the metadata that this architecture can install, in the metadata's order.
    ///
    /// - Throws: ``DependencyError/malformedPackage(_:)``.
    package func offered() throws(DependencyError) -> [OfferedPackage] {
        var packages: [OfferedPackage] = []
        for id in 2..<max(pool.pointee.nsolvables, 2) {
            guard let solvable = retrace_solvable(pool, id), solvable.pointee.repo != nil,
                pool_installable(pool, solvable) != 0
            else { continue }
            let package = try package(id)
            // libsolv leaves out what a source package has in common with the package itself.
            let sourceName = solvable_lookup_id(solvable, Id(bitPattern: SOLVABLE_SOURCENAME.rawValue))
            let sourceVersion = solvable_lookup_id(solvable, Id(bitPattern: SOLVABLE_SOURCEEVR.rawValue))
            packages.append(
                OfferedPackage(
                    package: package,
                    byteCount: solvable_lookup_num(solvable, Id(bitPattern: SOLVABLE_DOWNLOADSIZE.rawValue), 0),
                    sourceName: sourceName == 0 ? package.nevra.name : word(sourceName),
                    sourceVersion: sourceVersion == 0 ? package.nevra.versionText : word(sourceVersion)))
        }
        return packages
    }

    private func word(_ id: Id) -> String { pool_id2str(pool, id).map { String(cString: $0) } ?? "" }
}
