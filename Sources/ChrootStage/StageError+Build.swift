package import CrashModel
import Packages
import SystemPackage

extension StageError.Code {
    /// The mirror of the release has no debugger, or not all that it depends on.
    package static let debuggerNotMirrored = Self("debugger-not-mirrored")
    /// The debugger's packages are there, but what they hold cannot be started.
    package static let debuggerUnusable = Self("debugger-unusable")
    /// The crash is of an architecture whose debugger does not run on this host.
    package static let foreignArchitecture = Self("foreign-architecture")
    /// The plugin of the crash's distribution is gone since it was resolved.
    package static let unknownDistribution = Self("unknown-distribution")
}

extension StageError {
    /// The disk of the package store is full: the administrator or the eviction may free some.
    static var storeIsFull: StageError {
        StageError(
            .build, .diskFull, "The disk of the package store is full, so that the root could not be built.",
            advice: "It is tried again in a minute; an administrator can free space or enlarge the disk.",
            disposition: .retry(after: .seconds(60)))
    }

    /// A system call on the store failed.
    ///
    /// - Parameter doing: What was being done, as `building the crash root`.
    static func system(_ error: Errno, doing: String) -> StageError {
        if error == .noSpace || error == .diskQuotaExceeded { return .storeIsFull }
        return StageError(
            .build, .internalError, "The file system refused while \(doing): \(error).",
            advice: "It is tried again in a minute; the log of the chroot builder has more.",
            disposition: .retry(after: .seconds(60)))
    }

    /// The store could not take a package for a reason that is not the package's own; nil when it is the package's.
    init?(storeTrouble error: PackageStoreError) {
        switch error {
        case .diskFull: self = .storeIsFull
        case .inputOutput(let detail):
            self.init(
                .build, .internalError, "The package store cannot be written: \(detail).",
                advice: "It is tried again in a minute.", disposition: .retry(after: .seconds(60)))
        case .invalidChecksum, .altered, .unreadable, .unpackable, .withoutKernel, .otherKernel, .unusableKernel:
            return nil
        }
    }
}
