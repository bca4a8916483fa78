package import CrashModel
package import Distributions
package import Packages
package import SystemPackage

/// What is done right now, for the person who waits, and how much of it, from 0 to 1, where that is known.
package typealias BuildProgress = @Sendable (_ message: String, _ fraction: Double?) -> Void

/// Puts the packages of a crash into a root, and the debugger of its release into another.
///
/// Both are hard links into the package store, so they must be on its file system; nothing is mounted, no maintainer
/// script ever runs, and no privilege is needed.
package struct ChrootBuilder: Sendable {
    let repositories: FilePath
    let store: PackageStore
    let catalog: DistributionCatalog
    let indexes: PackageIndexes
    let host: Architecture?
    let hostRoot: FilePath

    /// - Parameters:
    ///   - repositories: The directory of all mirrors; it is only read.
    ///   - store: The package store; the roots are made beside its packages, in `roots/` and `debuggers/`.
    ///   - catalog: Which debugger a distribution has.
    ///   - host: The architecture on which the debugger will run.
    ///   - hostRoot: Where the programs of this host are, such as its own debugger for kernels.
    package init(
        repositories: FilePath, store: PackageStore, catalog: DistributionCatalog, host: Architecture? = .host,
        hostRoot: FilePath = "/"
    ) {
        self.repositories = repositories
        self.store = store
        self.catalog = catalog
        self.host = host
        self.hostRoot = hostRoot
        indexes = PackageIndexes(repositories: repositories)
    }

    /// The two roots in which the crash is looked at.
    ///
    /// A package that cannot be had costs its modules, not the task: the answer's remarks say so. Building again for the
    /// same task and resolution gives the root that is there. Blocking work runs on a thread pool.
    ///
    /// - Throws: ``CrashModel/StageError`` of stage `build`: no debugger, a full disk, a store that cannot be written.
    package func build(
        _ resolution: Resolution, task: TaskID, progress: BuildProgress = { _, _ in }
    ) async throws(StageError) -> Chroot {
        guard let releaseID = resolution.releaseID else {
            throw StageError(.build, .internalError, "The job names no release of the program that crashed.")
        }
        let debugger = try await debuggerRoot(for: releaseID, progress: progress)
        let root = try await crashRoot(of: resolution, task: task, progress: progress)
        return Chroot(crashRoot: root.path.string, debugger: debugger, remarks: root.remarks)
    }

    /// Where crash roots are: one directory a task.
    var roots: FilePath { store.directory.appending("roots") }
    /// Where debugger roots are.
    var debuggers: FilePath { store.directory.appending("debuggers") }
}
