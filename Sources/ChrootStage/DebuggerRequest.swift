import CrashModel
import Crypto
import Distributions
import Glibc
import Packages
import SystemPackage

/// What a debugger is for; the raw value tells its roots from the other's.
enum DebuggerPurpose: String, Sendable, CaseIterable {
    /// The cores of processes.
    case processes = ""
    /// The dumps of kernels.
    case kernels = ".kernel"
}

/// The debugger of one release: what it consists of, and where its root is. Blocking.
struct DebuggerRequest: Sendable {
    let releaseID: ReleaseID
    let debugger: DebuggerPackage
    let format: PackageFormat
    let mirror: MirrorDirectory
    /// The directory of all debugger roots.
    let debuggers: FilePath
    let purpose: DebuggerPurpose

    /// What there is to start from.
    enum Answer: Sendable {
        case warm(DebuggerRoot)
        case solved(DebuggerClosure)
    }

    /// The root that is there if the mirror has not changed since; else the packages that the debugger needs.
    func current() throws(BlockingError) -> Answer {
        let files = try metadataFiles()
        let stamps = try system { () throws(Errno) in
            var stamps: [MetadataStamp] = []
            for file in files { stamps.append(try MetadataStamp(of: file)) }
            return stamps
        }
        try system { () throws(Errno) in try makeDirectory(debuggers) }
        let known = try system { () throws(Errno) in try DebuggerManifest(at: manifest) }
        if let known, known.metadata == stamps, known.debuggerPackage == debugger.package,
            let root = known.root(in: debuggers), try hasDirectory(known.directory)
        {
            return .warm(root)
        }
        let closure = try remembering(stamps) { () throws(BlockingError) in try solve(files, stamps) }
        guard try hasDirectory(directoryName(of: closure)) else { return .solved(closure) }
        return .warm(try publish(closure))
    }

    /// Links the packages into a root, unless another process was faster.
    func build(_ closure: DebuggerClosure, from parts: [RootPart]) throws(BlockingError) -> DebuggerRoot {
        let name = directoryName(of: closure)
        let partial = debuggers.appending("\(name).\(UInt32.random(in: 0 ... .max)).partial")
        do throws(BlockingError) {
            try system { () throws(Errno) in
                try makeDirectory(partial)
                var root = try RootAssembly(at: partial, absoluteLinks: .madeRelative)
                for part in parts { try root.add(part.lease.tree, of: part.package) }
            }
            _ = try DebuggerInspection(at: partial, executable: debugger.executable)
            guard rename(partial.string, debuggers.appending(name).string) == 0 else {
                let reason = Errno(rawValue: errno)
                guard reason == .directoryNotEmpty || reason == .fileExists else { throw .system(reason) }
                try system { () throws(Errno) in try removeTree(partial) }
                return try publish(closure)
            }
        } catch {
            // The first failure is what is told; what cannot be removed now is swept later.
            try? removeTree(partial)
            throw error
        }
        return try publish(closure)
    }

    /// Writes down that this root is the current one.
    private func publish(_ closure: DebuggerClosure) throws(BlockingError) -> DebuggerRoot {
        let path = debuggers.appending(directoryName(of: closure))
        let found = try DebuggerInspection(at: path, executable: debugger.executable)
        let root = DebuggerRoot(
            directory: path.string, executable: found.executable, loader: found.loader, libraryPath: found.libraryPath,
            dataDirectory: found.dataDirectory, pythonHome: found.pythonHome, package: closure.debugger)
        try system { () throws(Errno) in
            if let former = try DebuggerManifest(at: manifest), former.directory != path.lastComponent?.string {
                // Its age counts from now on: tasks may be using it, and the sweep removes only what is old.
                _ = utimensat(AT_FDCWD, debuggers.appending(former.directory).string, nil, AT_SYMLINK_NOFOLLOW)
            }
            try writeJSON(
                DebuggerManifest(metadata: closure.metadata, debuggerPackage: debugger.package, root: root),
                to: manifest)
        }
        return root
    }

    private var stem: String { "\(releaseID)\(purpose.rawValue)" }

    /// Solves unless these very files are known to have no such debugger: to read a distribution's metadata takes seconds.
    private func remembering(
        _ stamps: [MetadataStamp], _ solve: () throws(BlockingError) -> DebuggerClosure
    ) throws(BlockingError) -> DebuggerClosure {
        let place = debuggers.appending("\(stem).none.json")
        let known = try system { () throws(Errno) in try DebuggerAbsence(at: place) }
        if let known, known.metadata == stamps, known.debuggerPackage == debugger.package {
            throw .stage(notMirrored(known.detail))
        }
        do throws(BlockingError) {
            return try solve()
        } catch {
            if case .stage(let failure) = error, failure.code == .debuggerNotMirrored,
                let detail = absenceDetail(in: failure)
            {
                let absence = DebuggerAbsence(
                    metadata: stamps, debuggerPackage: debugger.package, detail: detail)
                try system { () throws(Errno) in try writeJSON(absence, to: place) }
            }
            throw error
        }
    }

    private var manifest: FilePath { debuggers.appending("\(stem).json") }

    private func directoryName(of closure: DebuggerClosure) -> String { "\(stem)-\(closure.digest.prefix(16))" }

    private func hasDirectory(_ name: String) throws(BlockingError) -> Bool {
        try system { () throws(Errno) in try DirectoryHandle(debuggers).kind(of: name.fileName) == .directory }
    }
}

/// The debugger's package and everything that it depends on.
struct DebuggerClosure: Sendable {
    let debugger: NEVRA
    let packages: [WantedPackage]
    let metadata: [MetadataStamp]

    /// SHA-256 over the sorted checksums of the packages, in lower-case hex.
    var digest: String {
        hexadecimal(SHA256.hash(data: Array(packages.map(\.sha256).sorted().joined(separator: "\n").utf8)))
    }
}
