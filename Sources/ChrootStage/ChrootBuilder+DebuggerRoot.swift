package import CrashModel
import Crypto
import Dependencies
import Distributions
import Glibc
import Packages
import SystemPackage

extension ChrootBuilder {
    /// The debugger of a release with all that it depends on, in a directory of its own.
    ///
    /// It is built when it is asked for first, and again when a synchronisation brings other packages; in between it
    /// costs a few system calls. Call it after a synchronisation, so that the first task need not wait. Roots that are
    /// no longer current stay, since tasks may be using them.
    ///
    /// - Throws: ``CrashModel/StageError``: `debugger-not-mirrored`, `debugger-unusable`, `foreign-architecture`,
    ///   `unknown-distribution`, and what the store fails with.
    package func debuggerRoot(
        for releaseID: ReleaseID, progress: BuildProgress = { _, _ in }
    ) async throws(StageError) -> DebuggerRoot {
        let distribution = try runnableDistribution(of: releaseID)
        return try await packagedRoot(
            DebuggerRequest(
                releaseID: releaseID, debugger: distribution.debugger, format: distribution.packageFormat,
                mirror: MirrorDirectory(releaseID, in: repositories), debuggers: debuggers, purpose: .processes),
            progress: progress)
    }

    /// The plugin of a release whose programs run on this host.
    func runnableDistribution(of releaseID: ReleaseID) throws(StageError) -> Distribution {
        guard releaseID.architecture.runs(on: host) else {
            throw StageError(
                .build, .foreignArchitecture,
                "A crash on \(releaseID.architecture) needs a debugger that does not run on this host "
                    + "(\(host?.rawValue ?? "of an unknown architecture")).",
                advice: "Run a chroot builder and a retracer on a host of that architecture.")
        }
        guard let distribution = catalog.distribution(named: releaseID.release.distribution) else {
            throw StageError(
                .build, .unknownDistribution, "No plugin describes \(releaseID.release.distribution).",
                advice: "Give the chroot builder the plugins that the resolver has.")
        }
        return distribution
    }

    /// A debugger from the packages of its release.
    func packagedRoot(_ request: DebuggerRequest, progress: BuildProgress) async throws(StageError) -> DebuggerRoot {
        let doing = "building the debugger root"
        let answer = try await blocking(doing) { () throws(BlockingError) in try request.current() }
        switch answer {
        case .warm(let root): return root
        case .solved(let closure):
            progress("preparing the debugger: \(closure.packages.count) packages", nil)
            let answers = try await unpack(
                closure.packages, of: "the debugger", progress: progress)
            var parts: [RootPart] = []
            for (package, answer) in zip(closure.packages, answers) {
                switch answer {
                case .leased(let lease):
                    parts.append(
                        RootPart(package: package.nevra, releaseID: request.releaseID, lease: lease, files: nil))
                case .unavailable(let reason): throw request.notMirrored("\(package.nevra): \(reason)")
                }
            }
            return try await blocking(doing) { [parts] () throws(BlockingError) in
                try request.build(closure, from: parts)
            }
        }
    }
}
