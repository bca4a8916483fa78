import CrashModel
import Packages
import SystemPackage

/// What a crash root is made of, and what must be in it.
struct CrashRootPlan: Sendable {
    let parts: [RootPart]
    let modules: [ResolvedModule]
    /// Packages that could not be had; their files are not looked for.
    let missing: Set<NEVRA>
    let remarks: [String]
    /// What is known already to be other than the resolution says.
    var corrections: [ModuleCorrection] = []
    /// Where the symbols of a kernel will be in the root, which the store has proved.
    var kernel: KernelFiles?

    /// Scripts that gdb loads with a program or library. They are few and small, and come with debuginfo packages.
    private static let autoLoadScripts = "/usr/share/gdb/auto-load"
    /// Places where a file under an uploaded name could mean something to a debugger, or that are not the root's.
    private static let reserved = [
        "/usr/share/gdb", "/usr/lib/debug", "/etc", "/proc", "/dev", "/sys", "/run", "/tmp",
    ]

    /// Links everything into the empty directory `path`. Blocking.
    ///
    /// - Returns: The plan's remarks and what was found out on the way.
    /// - Throws: `Errno` of the system call that failed.
    func assemble(at path: FilePath) throws(Errno) -> (remarks: [String], corrections: [ModuleCorrection]) {
        var root = try RootAssembly(at: path, absoluteLinks: .kept)
        var remarks = self.remarks
        for part in parts {
            guard let files = part.files else {
                try root.add(part.lease.tree, of: part.package)
                continue
            }
            let tree = try DirectoryHandle(part.lease.tree)
            for file in files where try root.add(file: file, from: tree, of: part.package) == nil {
                if try !root.hasFile(file) { remarks.append("\(part.package) does not hold \(file).") }
            }
            try root.add(directory: Self.autoLoadScripts, from: tree, of: part.package)
        }
        remarks += root.leftOut.map(\.sentence)
        for module in modules { remarks += try check(module, in: &root) }
        var corrections = self.corrections
        for (position, module) in modules.enumerated() {
            guard let correction = try assert(module, at: position, in: root, below: path) else { continue }
            remarks += [correction.reason].compactMap(\.self)
            corrections.removeAll { $0.position == position }
            corrections.append(correction)
        }
        return (remarks, corrections)
    }

    /// Looks whether a module's files are where they were resolved to, and puts the binary where the core has it.
    private func check(_ module: ResolvedModule, in root: inout RootAssembly) throws(Errno) -> [String] {
        var remarks: [String] = []
        if let debuginfo = module.debuginfo, !missing.contains(debuginfo.nevra), try !root.hasFile(debuginfo.path) {
            remarks.append("\(module.module.path) is without debuginfo: \(debuginfo.path) is not in the root.")
        }
        guard let binary = module.binary, !missing.contains(binary.nevra) else { return remarks }
        guard let found = try walk(binary.path, in: root.root), found.kind == .file else {
            remarks.append("\(module.module.path) is not there: \(binary.nevra) does not hold \(binary.path).")
            return remarks
        }
        let path = usrMerged(module.module.path)
        if usrMerged(binary.path) == path { return remarks }
        if try !root.hasFile(path), !place(found.components, at: path, of: binary.nevra, in: &root) {
            remarks.append("\(module.module.path) is in the root only as \(binary.path).")
        }
        return remarks
    }

    /// Looks whether what the debugger will find for a module is what crashed, and takes away what is not: no frame is
    /// better than a wrong one.
    private func assert(
        _ module: ResolvedModule, at position: Int, in root: RootAssembly, below place: FilePath
    ) throws(Errno) -> ModuleCorrection? {
        guard let buildID = module.module.buildID else { return nil }
        var binary = module.binary
        var wrong: [String] = []
        if let claimed = binary, module.module.path.hasPrefix("/") {
            let found = try proof(of: module.module.path, as: buildID, in: root.root, at: place)
            if case .other(let other) = found, isOther(other, at: module.module.path) {
                wrong.append(
                    "The process had two files as \(module.module.path); in the root is that with build-id \(other).")
                binary = nil
            } else if let contradiction = found.contradiction, try root.remove(file: module.module.path) {
                wrong.append(
                    "The file in the root at \(module.module.path) \(contradiction), not \(buildID): it was taken away."
                )
                binary = nil
            } else if found == .absent, try !root.hasFile(claimed.path) {
                wrong.append("\(claimed.nevra) does not hold \(claimed.path).")
                binary = nil
            }
        }
        // A debug file that was found by its path and version may have no build-id; another one it may not have.
        var keepsDebuginfo = true
        if let debuginfo = module.debuginfo,
            case .other(let other) = try proof(of: debuginfo.path, as: buildID, in: root.root, at: place),
            try root.remove(file: debuginfo.path)
        {
            wrong.append(
                "\(debuginfo.path) of \(debuginfo.nevra) has build-id \(other), not \(buildID): it was taken away.")
            keepsDebuginfo = false
        }
        guard !wrong.isEmpty else { return nil }
        let hasDebuginfo = keepsDebuginfo && module.debuginfo != nil
        let status: ModuleStatus =
            binary == nil ? (hasDebuginfo ? .withoutBinary : .unknown) : .withoutDebuginfo
        return ModuleCorrection(
            position: position, status: status, reason: wrong.joined(separator: " "), binary: binary,
            keepsDebuginfo: keepsDebuginfo)
    }

    /// Whether another module of the crash has that build-id and the same path, as with a file that was replaced while it
    /// ran.
    private func isOther(_ buildID: BuildID, at path: String) -> Bool {
        modules.contains { $0.module.buildID == buildID && $0.module.path == path }
    }

    /// Links a file of the root under the name that the core has for it; the name is the attacker's.
    private func place(
        _ components: [String], at path: String, of package: NEVRA, in root: inout RootAssembly
    ) -> Bool {
        let target = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        // The sandbox has names of its own at the top, which begin with a dot.
        guard path.hasPrefix("/"), !path.hasPrefix("/."), (1...32).contains(target.count), let name = target.last,
            let own = components.last,
            target.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." && $0.utf8.count < 256 }),
            !path.utf8.contains(0), !Self.reserved.contains(where: { path == $0 || path.hasPrefix($0 + "/") })
        else { return false }
        do throws(Errno) {
            let source = try root.directory(Array(components.dropLast()))
            try root.directory(Array(target.dropLast())).link(own.fileName, from: source, as: name.fileName)
            return true
        } catch {
            return false
        }
    }
}
