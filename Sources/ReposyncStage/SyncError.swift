package import CrashModel
import SystemPackage

extension StageError.Code {
    /// No plugin lists the release, or it may not be mirrored.
    package static let unknownRelease = Self("unknown-release")
    /// Another synchronisation of the same release is at work.
    package static let synchronisationRunning = Self("synchronisation-running")
    /// No mirror of a repository gave what was asked for.
    package static let mirrorsUnreachable = Self("mirrors-unreachable")
    /// Every mirror of a repository answers, and none has it, or nothing in it for the architecture.
    package static let repositoryMissing = Self("repository-missing")
    /// A signature is missing, wrong, or of a key that the plugin does not name.
    package static let badSignature = Self("bad-signature")
    /// Signed metadata that is too old, replayed, of another suite, or that contradicts itself.
    package static let metadataRefused = Self("metadata-refused")
    /// A package or list is not what the signed metadata says.
    package static let alteredFile = Self("altered-file")
    /// A package that was asked for is in no repository, or its dependencies cannot be met.
    package static let unknownPackage = Self("unknown-package")
    /// The package index could not be made.
    package static let indexFailed = Self("index-failed")
}

extension StageError {
    /// - Parameter retryAfter: Set where a minute may help, and never long: whoever waits for the synchronisation is
    ///   told of a refusal at once, and the timer comes again anyway.
    static func sync(
        _ code: Code, _ reason: String, advice: String? = nil, retryAfter: Duration? = nil,
        exitStatus: Int? = nil, toolOutput: String? = nil
    ) -> StageError {
        StageError(
            .reposync, code, reason, advice: advice, disposition: retryAfter.map { .retry(after: $0) } ?? .failed,
            exitStatus: exitStatus, toolOutput: toolOutput)
    }

    /// A refusal of the file system that the mirror lies on.
    static func mirrorStorage(_ attempt: String, _ error: any Error) -> StageError {
        let isFull = (error as? Errno).map { $0 == .noSpace || $0 == .diskQuotaExceeded } ?? false
        return .sync(
            isFull ? .diskFull : .internalError, "The mirror's disk refused to \(attempt): \(error).",
            advice: isFull
                ? "Make room where the mirrors lie; the synchronisation goes on where it stopped."
                : "Check the permissions and the health of the disk that the mirrors lie on.",
            retryAfter: .seconds(60))
    }
}

/// Why one mirror did not give one file. The sentence names no path of this machine.
struct MirrorFailure: Error, Hashable, CustomStringConvertible {
    enum Kind: Hashable {
        /// The mirror does not answer, or stopped in the middle.
        case unreachable
        /// The mirror answers, but does not have the file.
        case missing
        /// What came is not what the metadata says.
        case altered
    }

    let kind: Kind
    let description: String

    init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}

extension StageError.Code {
    /// What a repository is whose metadata could not be had.
    init(ofRepositoryAfter failures: [(MirrorAddress, any Error)]) {
        let isMissing = failures.allSatisfy { ($0.1 as? MirrorFailure)?.kind == .missing }
        self = isMissing && !failures.isEmpty ? .repositoryMissing : .mirrorsUnreachable
    }
}

extension StageError {
    /// What is left to say when every mirror failed.
    ///
    /// - Parameter code: What it is called when no mirror gave anything.
    static func allMirrorsFailed(
        _ subject: String, _ failures: [(MirrorAddress, any Error)], as code: Code = .mirrorsUnreachable
    ) -> StageError {
        let details = failures.map { "\($0.0): \($0.1)" }.joined(separator: "; ")
        let isAltered = failures.contains { ($0.1 as? MirrorFailure)?.kind == .altered }
        guard isAltered else {
            return .sync(
                code, "No mirror gave \(subject) (\(details)).",
                advice: "It is tried again; if it stays so, check the mirrors in the distribution's plugin.",
                retryAfter: .seconds(60))
        }
        return .sync(
            .alteredFile, "What the mirrors gave as \(subject) is not what the signed metadata says (\(details)).",
            advice:
                "A mirror in the middle of an update mends itself within the hour; if it stays so, do not trust it.")
    }
}
