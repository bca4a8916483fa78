package import CrashModel
import SystemPackage

/// What the files themselves said of a module against its resolution, kept with the root.
struct ModuleCorrection: Codable, Hashable, Sendable {
    /// Among the modules of the crash.
    let position: Int
    private let status: String
    let reason: String?
    private let binary: Binary?
    private let keepsDebuginfo: Bool

    private struct Binary: Codable, Hashable {
        let name: String
        let epoch: Int
        let version: String
        let release: String
        let architecture: String
        let path: String
    }

    /// - Parameters:
    ///   - binary: Where the file really is.
    ///   - keepsDebuginfo: Whether the debug file of the resolution holds.
    init(
        position: Int, status: ModuleStatus, reason: String?, binary: PackagedFile?, keepsDebuginfo: Bool = true
    ) {
        self.position = position
        self.keepsDebuginfo = keepsDebuginfo
        self.status = status.rawValue
        self.reason = reason
        self.binary = binary.map {
            Binary(
                name: $0.nevra.name, epoch: $0.nevra.epoch, version: $0.nevra.version, release: $0.nevra.release,
                architecture: $0.nevra.architecture, path: $0.path)
        }
    }

    func applied(to module: ResolvedModule) -> ResolvedModule {
        let file = binary.flatMap { binary in
            (try? NEVRA(
                name: binary.name, epoch: binary.epoch, version: binary.version, release: binary.release,
                architecture: binary.architecture)).map { PackagedFile(nevra: $0, path: binary.path) }
        }
        return ResolvedModule(
            module: module.module, status: ModuleStatus(rawValue: status) ?? .unknown, binary: file,
            debuginfo: keepsDebuginfo ? module.debuginfo : nil, reason: reason)
    }
}

extension ChrootBuilder {
    /// The resolution after the root of the task was built: a package that only claimed to have a module's file is not
    /// named any more.
    ///
    /// - Throws: ``CrashModel/StageError`` with `retry` when the file system refuses.
    package func corrected(_ resolution: Resolution, task: TaskID) async throws(StageError) -> Resolution {
        let place = CrashRootPlace(task: task, in: roots)
        let corrections = try await blockingCalls("reading what is known of the crash root") { () throws(Errno) in
            try place.corrections()
        }
        guard !corrections.isEmpty else { return resolution }
        var modules = resolution.modules
        for correction in corrections where modules.indices.contains(correction.position) {
            modules[correction.position] = correction.applied(to: modules[correction.position])
        }
        return Resolution(
            releaseID: resolution.releaseID, releaseEvidence: resolution.releaseEvidence, modules: modules,
            packages: resolution.packages, remarks: resolution.remarks)
    }
}
