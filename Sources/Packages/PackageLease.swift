import Glibc
package import SystemPackage

/// The right to use one unpacked package: while it lives, no process evicts the tree.
///
/// It is a shared flock(2) on the entry's lock file; the kernel ends it with the process.
package final class PackageLease: Sendable {
    /// The directory that holds the package's files, as `/` of the package; immutable.
    package let tree: FilePath
    let lock: FileDescriptor

    init(tree: FilePath, takingOwnershipOf lock: FileDescriptor) {
        self.tree = tree
        self.lock = lock
    }

    deinit {
        // Said explicitly: a child that is being started this moment has a copy of the descriptor until its exec, and the
        // lock would live as long. It goes with the last descriptor otherwise, whatever close(2) answers.
        flock(lock.rawValue, LOCK_UN)
        try? lock.close()
    }
}
