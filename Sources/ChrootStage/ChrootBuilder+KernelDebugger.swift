import CrashModel
import Distributions
import Packages
import SystemPackage

extension ChrootBuilder {
    /// The debugger for the kernel of a resolution, or why there is none, as the first remark.
    ///
    /// - Throws: ``CrashModel/StageError`` for what may go away.
    func kernelDebugger(
        for resolution: Resolution, progress: BuildProgress
    ) async throws(StageError) -> (root: DebuggerRoot?, remarks: [String]) {
        guard let releaseID = resolution.releaseID else { return (nil, [resolution.releaseEvidence]) }
        do throws(StageError) {
            let (root, remarks) = try await kernelDebugger(for: releaseID, progress: progress)
            return (root, remarks)
        } catch {
            guard Self.lasting.contains(error.code), error.disposition == .failed else { throw error }
            return (nil, [error.reason + (error.advice.map { " \($0)" } ?? "")])
        }
    }

    /// What no further attempt changes.
    private static let lasting: Set<StageError.Code> = [
        .debuggerNotMirrored, .debuggerUnusable, .foreignArchitecture, .unknownDistribution,
    ]

    /// The debugger for the kernels of a release: the release's own, or else the one of this host.
    ///
    /// - Returns: The root, and a remark when it is not what the plugin names.
    /// - Throws: ``CrashModel/StageError``: `debugger-not-mirrored` or `debugger-unusable` when there is neither.
    private func kernelDebugger(
        for releaseID: ReleaseID, progress: BuildProgress
    ) async throws(StageError) -> (root: DebuggerRoot, remarks: [String]) {
        let distribution = try runnableDistribution(of: releaseID)
        let named = distribution.kernelDebugger
        guard let named, !named.isHost else {
            let debugger = named ?? DebuggerPackage(package: "crash", executable: "/usr/bin/crash", isHost: true)
            guard let root = try await installedRoot(debugger, releaseID) else {
                throw .noHostDebugger(debugger, for: releaseID)
            }
            return (root, [])
        }
        let request = DebuggerRequest(
            releaseID: releaseID, debugger: named, format: distribution.packageFormat,
            mirror: MirrorDirectory(releaseID, in: repositories), debuggers: debuggers, purpose: .kernels)
        do {
            return (try await packagedRoot(request, progress: progress), [])
        } catch {
            guard error.code == .debuggerNotMirrored || error.code == .debuggerUnusable,
                let root = try await installedRoot(named, releaseID)
            else { throw error.code == .debuggerNotMirrored ? error.orInstalling(named) : error }
            return (root, ["\(error.reason) The server's own \(root.package) was used instead."])
        }
    }

    private func installedRoot(
        _ debugger: DebuggerPackage, _ releaseID: ReleaseID
    ) async throws(StageError) -> DebuggerRoot? {
        let request = HostDebugger(
            debugger: debugger, architecture: releaseID.architecture, debuggers: debuggers, host: hostRoot)
        return try await blocking("building the debugger root") { () throws(BlockingError) in try request.root() }
    }
}

extension StageError {
    fileprivate static func noHostDebugger(_ debugger: DebuggerPackage, for releaseID: ReleaseID) -> StageError {
        StageError(
            .build, .debuggerUnusable,
            "The kernels of \(releaseID) are looked at with the server's own \(debugger.package), which is not "
                + "installed for that architecture.",
            advice: "An administrator can install \(debugger.package) on the chroot builder's host, or name a package "
                + "of the release under 'kernel-debugger' in the plugin.")
    }

    fileprivate func orInstalling(_ debugger: DebuggerPackage) -> StageError {
        StageError(
            stage, code, reason,
            advice: (advice.map { $0 + "; or " } ?? "") + "install \(debugger.package) on the chroot builder's host.",
            disposition: disposition, exitStatus: exitStatus, toolOutput: toolOutput)
    }
}
