import CrashModel
import Packages

/// The symbols of a crashed kernel as the resolver found them, and what a crash root makes of them.
struct KernelSymbols: Sendable {
    let dump: KernelDump
    let package: ResolvedPackage
    let releaseID: ReleaseID
    /// Where vmlinux may be in the package, the likeliest first.
    let places: [Place]

    /// Absolute paths in the package.
    struct Place {
        let vmlinux: String
        /// Where the modules' debug files are; ends in a slash. nil where the plugin does not say.
        var modules: String?
    }
    /// The kernel among the modules of the resolution.
    private let position: Int
    private let kernel: ResolvedModule

    /// nil when nothing was found.
    init?(_ dump: KernelDump?, _ resolution: Resolution) {
        guard let dump, let position = resolution.modules.firstIndex(where: { $0.debuginfo != nil }),
            let debuginfo = resolution.modules[position].debuginfo,
            let (package, releaseID) = resolution.packagesInMirrors.first(where: {
                $0.package.nevra == debuginfo.nevra
            })
        else { return nil }
        self.dump = dump
        self.package = package
        self.position = position
        kernel = resolution.modules[position]
        self.releaseID = releaseID
        var places: [Place] = []
        for path in package.files ?? [debuginfo.path] {
            if !path.hasSuffix("/") {
                places.append(Place(vmlinux: path))
            } else if let last = places.indices.last {
                places[last].modules = path
            }
        }
        self.places = places
    }

    /// For a sentence: the kernel's release, where the dump tells it.
    var kernelName: String { dump.release?.description ?? "the kernel" }

    func modules(below directory: String?, asking question: LoadedModulesQuestion?) -> KernelModules? {
        guard let directory else { return nil }
        if let names = dump.modules { return KernelModules(below: directory, .named(Set(names))) }
        return KernelModules(below: directory, question.map { .asked($0) } ?? .all)
    }

    /// A root with the files of the store.
    func plan(with lease: KernelLease, _ place: Place) -> CrashRootPlan {
        let part = RootPart(
            package: package.nevra, releaseID: releaseID, lease: lease.lease, files: [lease.vmlinux] + lease.modules)
        var remarks: [String] = []
        if !lease.missing.isEmpty { remarks.append(Self.remark(on: lease.missing, in: package.nevra)) }
        let doubt =
            dump.buildID == nil
            ? "The dump does not say which build of the kernel ran, so nobody can tell whether the vmlinux of "
                + "\(package.nevra) is of that build." : nil
        var corrections: [ModuleCorrection] = []
        if doubt == nil, kernel.status == .unverified {
            // It was found by its version, and its build-id turned out to be the dump's.
            corrections.append(
                ModuleCorrection(position: position, status: .complete, reason: nil, binary: kernel.binary))
        }
        return CrashRootPlan(
            parts: [part], modules: [], missing: [], remarks: remarks, corrections: corrections,
            kernel: KernelFiles(
                vmlinux: lease.vmlinux,
                modules: lease.modules.isEmpty ? nil : place.modules.map { KernelModules(below: $0, .all).directory },
                doubt: doubt))
    }

    /// A root of nothing.
    ///
    /// - Parameter reason: Why there is no vmlinux, as a sentence.
    func plan(without reason: String) -> CrashRootPlan {
        CrashRootPlan(
            parts: [], modules: [], missing: [],
            remarks: [reason + " Without the kernel's symbols only its log can be read."],
            corrections: [
                ModuleCorrection(
                    position: position, status: .unknown, reason: reason, binary: kernel.binary, keepsDebuginfo: false)
            ])
    }

    /// Which modules are without symbols. Their names come from the dump, so odd ones are only counted.
    private static func remark(on names: [String], in package: NEVRA) -> String {
        let plain = names.filter { KernelModules.isPlain($0) }
        let shown = plain.prefix(8)
        let rest = names.count - shown.count
        let list =
            shown.isEmpty ? "" : ": " + shown.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
        return names.count == 1
            ? "\(package) has no debug file of a module that was loaded\(list)."
            : "\(package) has no debug files of \(names.count) modules that were loaded\(list)."
    }
}
