import CSolv
package import CrashModel
package import SystemPackage

/// The packages of a release as libsolv sees them, and the question what an empty root needs for some of them.
///
/// It owns libsolv's pool, blocks while it reads and solves, and belongs to one thread at a time: make it and ask it
/// inside one call on a thread pool. 63,000 packages load in about a quarter of a second.
package final class DependencySolver {
    let pool: UnsafeMutablePointer<Pool>
    /// How many packages were read, every version counted.
    package private(set) var packageCount = 0

    /// Reads the package lists of a Debian archive.
    ///
    /// - Parameters:
    ///   - debianPackages: `Packages` files (deb-control stanzas), plain or compressed by gzip, xz, bzip2 or zstd as
    ///     the suffix says. Later ones add to earlier ones; a package that two of them have counts once.
    ///   - architecture: Packages of other architectures, except `all`, are not considered.
    /// - Throws: ``DependencyError/unreadable(_:reason:)``, ``DependencyError/notPackageMetadata(_:reason:)``.
    package init(debianPackages: [FilePath], architecture: Architecture) throws(DependencyError) {
        pool = pool_create()
        pool_setdisttype(pool, DISTTYPE_DEB)
        pool_setarch(pool, architecture.debianName)
        for file in debianPackages {
            try add(file) { repository, stream in repo_add_debpackages(repository, stream, 0) }
        }
        pool_createwhatprovides(pool)
    }

    /// Reads the metadata of RPM repositories.
    ///
    /// - Parameters:
    ///   - rpmMetadata: One element a repository.
    ///   - architecture: Packages of other architectures, except `noarch`, are not considered.
    /// - Throws: ``DependencyError/unreadable(_:reason:)``, ``DependencyError/notPackageMetadata(_:reason:)``.
    package init(rpmMetadata: [RPMMetadata], architecture: Architecture) throws(DependencyError) {
        pool = pool_create()
        pool_setdisttype(pool, DISTTYPE_RPM)
        pool_setarchpolicy(pool, architecture.rpmArchitectures)
        for metadata in rpmMetadata {
            let repository = try add(metadata.primary) { repository, stream in
                repo_add_rpmmd(repository, stream, nil, 0)
            }
            guard let fileLists = metadata.fileLists else { continue }
            try read(fileLists, into: repository) { repository, stream in
                // The file lists extend the packages of the primary metadata instead of adding new ones.
                repo_add_rpmmd(repository, stream, nil, REPO_LOCALPOOL | REPO_EXTEND_SOLVABLES)
            }
        }
        pool_addfileprovides(pool)
        pool_createwhatprovides(pool)
    }

    deinit { pool_free(pool) }

    private typealias Reader = (UnsafeMutablePointer<Repo>, UnsafeMutablePointer<FILE>) -> Int32

    @discardableResult
    private func add(_ file: FilePath, with reader: Reader) throws(DependencyError) -> UnsafeMutablePointer<Repo> {
        guard let repository = repo_create(pool, file.lastComponent?.string ?? "packages") else {
            throw .unreadable(file, reason: "libsolv has no room for it")
        }
        let byteCount = try read(file, into: repository, with: reader)
        let added = Int(repository.pointee.nsolvables)
        guard added > 0 || byteCount == 0 else {
            throw .notPackageMetadata(file, reason: "it has \(byteCount) bytes and not one package")
        }
        packageCount += added
        return repository
    }

    /// Gives the size of the file, as it is on disk.
    @discardableResult
    private func read(
        _ file: FilePath, into repository: UnsafeMutablePointer<Repo>, with reader: Reader
    ) throws(DependencyError) -> Int64 {
        let byteCount = try size(of: file)
        // solv_xfopen takes a format that it was built without for "no such file", but never for plain text.
        guard let stream = solv_xfopen(file.string, "r") else {
            throw .unreadable(file, reason: "it is missing, or compressed in a way that libsolv does not read")
        }
        defer { fclose(stream) }
        guard reader(repository, stream) == 0 else {
            throw .notPackageMetadata(file, reason: String(cString: pool_errstr(pool)))
        }
        guard ferror(stream) == 0 else {
            throw .unreadable(file, reason: "reading stopped in the middle, the file may be damaged")
        }
        return byteCount
    }

    private func size(of file: FilePath) throws(DependencyError) -> Int64 {
        do {
            let descriptor = try FileDescriptor.open(file, .readOnly, options: [.closeOnExec])
            return try descriptor.closeAfter { try descriptor.seek(offset: 0, from: .end) }
        } catch {
            throw .unreadable(file, reason: "\(error)")
        }
    }
}

/// The files of one RPM repository that dependencies are read from, as `repomd.xml` names them.
package struct RPMMetadata: Hashable, Sendable {
    /// `primary.xml`, plain or compressed.
    package let primary: FilePath
    /// `filelists.xml`: needed where packages depend on files that the primary metadata leaves out.
    package let fileLists: FilePath?

    package init(primary: FilePath, fileLists: FilePath? = nil) {
        self.primary = primary
        self.fileLists = fileLists
    }
}

extension Architecture {
    /// What rpm installs on this machine, best first, in the form that libsolv wants; `noarch` goes without saying.
    fileprivate var rpmArchitectures: String {
        switch self {
        case .i386: "i686:i586:i486:i386"
        case .armhfp: "armv7hnl:armv7hl:armv7l:armv6hl"
        case .x86_64, .aarch64, .ppc64, .ppc64le, .s390x: rawValue
        }
    }
}
