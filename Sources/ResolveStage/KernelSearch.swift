import CrashModel
import Distributions
import Packages

/// Where one release's mirror has the symbols of a kernel.
struct KernelSymbols {
    let releaseID: ReleaseID
    let vmlinux: IndexedFile
    /// The directory of the modules' debug files in the same package; ends in a slash.
    let modules: String?
    /// Where else in the package they may be, as long as nobody has looked into it: each vmlinux with its ``modules``.
    var otherPlaces: [String] = []
    /// Why it may be another kernel's; nil when it was found by build-id.
    let doubt: String?
}

/// The search for a kernel's vmlinux in the index of one release.
struct KernelSearch {
    let dump: KernelDump
    let architecture: Architecture
    let releaseID: ReleaseID
    let index: PackageIndex
    let packaging: KernelPackaging?
    let order: VersionOrder

    /// By where the plugin says that vmlinux lies, else by the package's name.
    func byName() throws(PackageIndexError) -> KernelSymbols? {
        guard let release = dump.release, let packaging else { return nil }
        for path in packaging.vmlinuxPaths(of: release, architecture) {
            // A build-id that is known and did not match is that of another build.
            let files = try index.files(at: path).filter {
                fits($0.package) && ($0.buildID == nil || dump.buildID == nil)
            }
            guard let newest = newest(files) else { continue }
            return KernelSymbols(
                releaseID: releaseID, vmlinux: newest,
                modules: packaging.modulesDirectory(beside: path, of: release, architecture),
                doubt: "\(release) was found by its name in \(newest.package.nevra), not by its build-id.")
        }
        return try byPackage(release, packaging)
    }

    func byBuildID() throws(PackageIndexError) -> KernelSymbols? {
        guard let buildID = dump.buildID else { return nil }
        let files = try index.files(with: buildID).filter { fits($0.package) && $0.kind != .buildIDLink }
        // The link below .build-id leads to the file that the name of the kernel is in.
        let named = files.compactMap { file -> IndexedFile? in
            if Self.isVmlinux(file.path) { return file }
            guard let target = file.file.target, Self.isVmlinux(target) else { return nil }
            return IndexedFile(
                package: file.package, file: IndexedPath(path: target, kind: .debugByPath, buildID: buildID))
        }
        guard let vmlinux = newest(named) else { return nil }
        let modules =
            dump.release.flatMap { packaging?.modulesDirectory(beside: vmlinux.path, of: $0, architecture) }
            ?? Self.folder(of: vmlinux.path)
        return KernelSymbols(releaseID: releaseID, vmlinux: vmlinux, modules: modules, doubt: nil)
    }

    /// A package that is fetched on first need has no list of files in the index.
    private func byPackage(
        _ release: KernelRelease, _ packaging: KernelPackaging
    ) throws(PackageIndexError) -> KernelSymbols? {
        let places = packaging.vmlinuxPaths(of: release, architecture)
        guard let path = places.first else { return nil }
        func modules(_ path: String) -> String? {
            packaging.modulesDirectory(beside: path, of: release, architecture)
        }
        for name in packaging.packageNames(of: release, architecture) {
            var offered: [IndexedFile] = []
            for package in try index.packages(named: name)
            where fits(package) && packaging.isOf(release, package.nevra) {
                guard try index.offer(of: package.sha256) != nil else { continue }
                offered.append(IndexedFile(package: package, file: IndexedPath(path: path, kind: .debugByPath)))
            }
            guard let newest = newest(offered) else { continue }
            return KernelSymbols(
                releaseID: releaseID, vmlinux: newest, modules: modules(path),
                otherPlaces: places.dropFirst().flatMap { [$0] + [modules($0)].compactMap(\.self) },
                doubt: "\(release) was found by the name of \(newest.package.nevra), not by its build-id.")
        }
        return nil
    }

    /// The packages with a kernel of that release but another build, for the sentence that says so.
    func otherBuilds() throws(PackageIndexError) -> [String] {
        guard let release = dump.release, let packaging else { return [] }
        var names: [String] = []
        for path in packaging.vmlinuxPaths(of: release, architecture) {
            names += try index.files(at: path).map(\.package.nevra.description)
        }
        return Set(names).sorted()
    }

    private func fits(_ package: IndexedPackage) -> Bool {
        (try? Architecture(package.nevra.architecture)) == architecture
    }

    private func newest(_ files: [IndexedFile]) -> IndexedFile? {
        files.max { order.isOlder($0.package.nevra, $1.package.nevra) }
    }

    private static func isVmlinux(_ path: String) -> Bool {
        path.split(separator: "/").last?.hasPrefix("vmlinux") == true
    }

    private static func folder(of path: String) -> String? {
        path.lastIndex(of: "/").map { String(path[...$0]) }
    }
}
