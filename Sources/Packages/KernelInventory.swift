import Glibc
import SystemPackage

/// What of a kernel is in the store already.
struct KernelInventory: Sendable {
    let hasVmlinux: Bool
    /// The paths of the modules' debug files that are there, by name.
    let present: [String: String]
    /// The paths of all modules in the package, by name; nil when it was never read to its end.
    let listed: [String: String]?

    /// Looks into the tree, for one who has a lease. Blocking.
    init(of shelf: KernelShelf) throws(PackageStoreError) {
        var status = stat()
        let vmlinux = shelf.tree.appending(String(shelf.request.vmlinux.dropFirst()))
        hasVmlinux = lstat(vmlinux.string, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        guard let modules = shelf.request.modules else {
            present = [:]
            listed = [:]
            return
        }
        do throws(Errno) {
            let files = try Self.files(below: modules.directory, in: shelf.tree)
            present = Self.byName(files, modules)
        } catch {
            throw PackageStore.failure(error)
        }
        listed = shelf.listedPaths().map { Self.byName($0, modules) }
    }

    private static func byName(_ paths: [String], _ modules: KernelModules) -> [String: String] {
        var found: [String: String] = [:]
        for path in paths {
            if let name = modules.module(at: path) { found[name] = found[name] ?? path }
        }
        return found
    }

    private static func files(below directory: String, in tree: FilePath) throws(Errno) -> [String] {
        var files: [String] = []
        var rest = [directory]
        while let directory = rest.popLast() {
            let place = tree.appending(String(directory.dropFirst()))
            for name in try namesInDirectory(place).sorted() {
                var status = stat()
                guard lstat(place.appending(name).string, &status) == 0 else { throw Errno(rawValue: errno) }
                if status.st_mode & S_IFMT == S_IFDIR {
                    rest.append(directory + "/" + name)
                } else if status.st_mode & S_IFMT == S_IFREG {
                    files.append(directory + "/" + name)
                }
            }
        }
        return files
    }

    /// The names that the package must be read for: those that are wanted, not there, and not known to be in no package.
    ///
    /// - Parameter wanted: nil for all modules.
    /// - Returns: nil when only the package can tell.
    func toRead(_ wanted: Set<String>?) -> Set<String>? {
        guard let names = wanted ?? listed.map({ Set($0.keys) }) else { return nil }
        return names.filter { name in present[name] == nil && (listed.map { $0[name] != nil } ?? true) }
    }

    /// - Parameter wanted: nil for all modules.
    func lease(_ lease: PackageLease, on request: KernelRequest, _ wanted: Set<String>?) -> KernelLease {
        let names = wanted ?? Set(present.keys)
        return KernelLease(
            lease: lease, vmlinux: request.vmlinux, modules: names.compactMap { present[$0] }.sorted(),
            missing: names.filter { present[$0] == nil }.sorted())
    }
}
