package import SystemPackage

/// Reads `primary.xml` and `filelists.xml` side by side, each in any of the usual compressions, and hands out one package
/// after the other. Blocking; the memory does not grow with the repository while both tell of packages in one order, as
/// createrepo_c writes them.
///
/// - Parameters:
///   - primary: The packages.
///   - fileLists: Their files; nil where only the packages are wanted.
///   - isWanted: Whether a file of this name, as UTF-8, is handed out.
///   - body: Called for every package; what it throws ends the reading.
/// - Throws: ``RepodataError``, or what `body` throws.
@discardableResult
package func readRepodata(
    primary: FilePath, fileLists: FilePath?, limits: RepodataLimits = RepodataLimits(),
    isWanted: @escaping @Sendable (UnsafeBufferPointer<UInt8>) -> Bool = { _ in true },
    _ body: (RepodataPackage) throws -> Void
) throws -> RepodataSummary {
    let reader = try RepodataReader(primary: primary, fileLists: fileLists, limits: limits, isWanted: isWanted)
    while true {
        let packages = try reader.next(64)
        if packages.isEmpty { return reader.summary }
        for package in packages { try body(package) }
    }
}
