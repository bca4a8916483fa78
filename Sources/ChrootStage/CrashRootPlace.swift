import CrashModel
import Glibc
import SystemPackage

/// Where the crash root of a task is, and how it comes and goes in one step. Blocking.
struct CrashRootPlace: Sendable {
    let root: FilePath
    private let name: String
    private let roots: FilePath

    init(task: TaskID, in roots: FilePath) {
        name = task.description
        root = roots.appending(name)
        self.roots = roots
    }

    private var manifest: FilePath { roots.appending(name + ".json") }

    /// The root that is there, if it is complete and was built from that resolution; else nil.
    ///
    /// - Throws: `Errno` when the directory of all roots cannot be used.
    func present(ifBuiltFrom fingerprint: String) throws(Errno) -> CrashRoot? {
        try makeDirectory(roots)
        guard try DirectoryHandle(roots).kind(of: name.fileName) == .directory,
            let manifest = try CrashRootManifest(at: manifest), manifest.fingerprint == fingerprint
        else { return nil }
        return CrashRoot(path: root, remarks: manifest.remarks, kernel: manifest.kernelFiles)
    }

    /// What the files of the root that is there said against the resolution that it was made from.
    ///
    /// - Throws: `Errno` when the manifest cannot be read.
    func corrections() throws(Errno) -> [ModuleCorrection] {
        try CrashRootManifest(at: manifest)?.corrections ?? []
    }

    /// Builds the root aside and renames it into place; one that is there already goes.
    ///
    /// - Throws: `Errno` of the system call that failed; nothing is left then.
    func build(_ plan: CrashRootPlan, fingerprint: String) throws(Errno) -> CrashRoot {
        let partial = roots.appending(name + ".partial")
        try removeTree(partial)
        try makeDirectory(partial)
        do throws(Errno) {
            let built = try plan.assemble(at: partial)
            try remove()
            let (remarks, corrections) = built
            try CrashRootManifest(
                fingerprint: fingerprint, remarks: remarks, corrections: corrections, kernel: plan.kernel
            ).write(to: manifest)
            guard rename(partial.string, root.string) == 0 else { throw Errno(rawValue: errno) }
            return CrashRoot(path: root, remarks: remarks, kernel: plan.kernel)
        } catch {
            // The first failure is what is told; what cannot be removed now is swept later.
            try? removeTree(partial)
            throw error
        }
    }

    /// Removes the root, and what a process that died while it removed the same root left of it; nothing to do when there
    /// is none.
    ///
    /// - Throws: `Errno` of the system call that failed.
    func remove() throws(Errno) {
        try displace()
        for stale in try leftOvers() { try removeTree(stale) }
    }

    /// Removes what was built of the root when a process died; only its builder may, and not while it builds.
    ///
    /// - Throws: `Errno` of the system call that failed.
    func removePartial() throws(Errno) { try removeTree(roots.appending(name + ".partial")) }

    private func leftOvers() throws(Errno) -> [FilePath] {
        let handle: DirectoryHandle
        do throws(Errno) {
            handle = try DirectoryHandle(roots)
        } catch Errno.noSuchFileOrDirectory {
            return []
        }
        return try handle.entries().map(\.text).filter { $0.hasPrefix(name + ".") && $0.hasSuffix(".stale") }
            .map { roots.appending($0) }
    }

    private func displace() throws(Errno) {
        guard unlink(manifest.string) == 0 || errno == ENOENT else { throw Errno(rawValue: errno) }
        // Half a root must not be taken for a whole one, so it loses its name first.
        let stale = roots.appending("\(name).\(UInt32.random(in: 0 ... .max)).stale")
        guard rename(root.string, stale.string) == 0 else {
            guard errno == ENOENT else { throw Errno(rawValue: errno) }
            return
        }
    }
}

/// Removes a directory and all below it, never through a link; one that is not there is fine. Blocking.
///
/// - Throws: `Errno` of the system call that failed.
func removeTree(_ path: FilePath) throws(Errno) {
    guard let name = path.lastComponent?.string else { throw Errno.invalidArgument }
    do throws(Errno) {
        let parent = try DirectoryHandle(path.removingLastComponent())
        try DirectoryHandle(name.fileName, in: parent).removeContents()
        try parent.removeDirectory(name.fileName)
    } catch Errno.noSuchFileOrDirectory {
        return
    }
}

/// Makes a directory with mode 0755 if it is absent, and those above it. Blocking.
///
/// - Throws: `Errno` of mkdir(2).
func makeDirectory(_ path: FilePath) throws(Errno) {
    guard mkdir(path.string, 0o755) != 0 else {
        // The umask may have taken bits away that the sandbox's user needs.
        guard chmod(path.string, 0o755) == 0 else { throw Errno(rawValue: errno) }
        return
    }
    let reason = Errno(rawValue: errno)
    if reason == .fileExists { return }
    let parent = path.removingLastComponent()
    guard reason == .noSuchFileOrDirectory, parent != path else { throw reason }
    try makeDirectory(parent)
    try makeDirectory(path)
}
