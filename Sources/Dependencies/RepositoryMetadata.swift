import CSolv
import Glibc
package import SystemPackage

/// A file that the `repomd.xml` of an RPM repository names.
package struct RepositoryMetadataFile: Hashable, Sendable {
    /// Relative to the repository.
    package let location: String
    /// Lower-case hex.
    package let sha256: String
    /// In bytes; 0 where `repomd.xml` does not say.
    package let byteCount: UInt64
    /// When it was made, in seconds since the epoch of Unix; 0 where `repomd.xml` does not say.
    package let timestamp: UInt64
}

/// Finds the files of some types in a `repomd.xml`, read by libsolv. Blocking.
///
/// - Parameter types: Such as `primary` and `filelists`.
/// - Returns: The files by type; types that are not there, or have no SHA-256, are left out.
/// - Throws: ``DependencyError/unreadable(_:reason:)``, ``DependencyError/notPackageMetadata(_:reason:)``.
package func repositoryMetadata(
    in file: FilePath, types: [String]
) throws(DependencyError) -> [String: RepositoryMetadataFile] {
    guard let pool = pool_create() else { throw .unreadable(file, reason: "libsolv has no room for it") }
    defer { pool_free(pool) }
    guard let repository = repo_create(pool, "repomd"), let stream = fopen(file.string, "r") else {
        throw .unreadable(file, reason: "it is missing")
    }
    defer { fclose(stream) }
    guard repo_add_repomdxml(repository, stream, 0) == 0 else {
        throw .notPackageMetadata(file, reason: String(cString: pool_errstr(pool)))
    }
    var found: [String: RepositoryMetadataFile] = [:]
    for type in types {
        var iterator = Dataiterator()
        dataiterator_init(
            &iterator, pool, repository, ofRepository, Id(bitPattern: REPOSITORY_REPOMD_TYPE.rawValue), type,
            SEARCH_STRING)
        defer { dataiterator_free(&iterator) }
        dataiterator_prepend_keyname(&iterator, Id(bitPattern: REPOSITORY_REPOMD.rawValue))
        guard dataiterator_step(&iterator) != 0 else { continue }
        dataiterator_setpos_parent(&iterator)
        var digestType: Id = 0
        let digest = pool_lookup_checksum(
            pool, ofPosition, Id(bitPattern: REPOSITORY_REPOMD_CHECKSUM.rawValue), &digestType)
        guard digestType == Id(bitPattern: REPOKEY_TYPE_SHA256.rawValue), let digest,
            let location = pool_lookup_str(
                pool, ofPosition, Id(bitPattern: REPOSITORY_REPOMD_LOCATION.rawValue))
        else { continue }
        found[type] = RepositoryMetadataFile(
            location: String(cString: location), sha256: String(cString: digest),
            byteCount: pool_lookup_num(pool, ofPosition, Id(bitPattern: REPOSITORY_REPOMD_SIZE.rawValue), 0),
            timestamp: unsigned(
                pool_lookup_num(pool, ofPosition, Id(bitPattern: REPOSITORY_REPOMD_TIMESTAMP.rawValue), 0)))
    }
    return found
}

/// libsolv keeps numbers of up to 32 bits in an `int` and gives those above 2^31 with its sign in the upper half.
private func unsigned(_ number: UInt64) -> UInt64 {
    number >> 32 == UInt64(UInt32.max) ? number & UInt64(UInt32.max) : number
}

/// libsolv's `SOLVID_META` and `SOLVID_POS` (repo.h), which Swift does not import.
private let ofRepository: Id = -1
private let ofPosition: Id = -2
