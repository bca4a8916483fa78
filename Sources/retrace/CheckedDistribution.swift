import CrashModel
import Distributions

/// What `retrace plugin check` found out about one distribution; also its JSON.
struct CheckedDistribution: Encodable {
    let name: String
    let displayName: String
    /// The files that describe it, its own first.
    let files: [String]
    let isEnabled: Bool
    let versions: [String]
    let architectures: [String]
    /// `/usr/bin/gdb of gdb`
    let debugger: String
    /// As ``debugger``, or `/usr/bin/crash of the chroot builder's host`.
    let kernelDebugger: String?
    var keys: [CheckedKeyFile] = []
    var releases: [CheckedRelease] = []
    /// What must be put right, a sentence each.
    var problems: [String] = []
    /// What should be known, a sentence each.
    var notes: [String] = []

    init(_ distribution: Distribution) {
        name = distribution.name
        displayName = distribution.displayName
        files = distribution.files
        isEnabled = distribution.isEnabled
        versions = distribution.versions.map(\.version)
        architectures = distribution.architectures.map(\.rawValue)
        debugger = Self.words(distribution.debugger)
        kernelDebugger = distribution.kernelDebugger.map(Self.words)
    }

    private static func words(_ debugger: DebuggerPackage) -> String {
        debugger.executable + (debugger.isHost ? " of the chroot builder's host" : " of \(debugger.package)")
    }

    enum CodingKeys: String, CodingKey {
        case name, files, versions, architectures, debugger, keys, releases, problems, notes
        case displayName = "display_name"
        case isEnabled = "enabled"
        case kernelDebugger = "kernel_debugger"
    }
}

/// A file of public keys, and what gpg says of it.
struct CheckedKeyFile: Encodable {
    enum State: String, Encodable { case good, missing, expired, revoked, unusable }

    /// Below the folder of keys: `fedora/40-primary.asc`.
    let file: String
    /// The releases whose packages it may sign.
    var versions: [String]
    var state: State
    /// Why it is unusable.
    var reason: String?
    var keys: [PublicKey] = []
}

/// What a synchronisation of a release would do.
struct CheckedRelease: Encodable {
    let releaseID: String
    var repositories: [CheckedRepository]

    enum CodingKeys: String, CodingKey {
        case releaseID = "release"
        case repositories
    }
}

/// How a repository would be synchronised, and which of its mirrors answer.
struct CheckedRepository: Encodable {
    let name: String
    /// `full` or `lazy`.
    let mode: String
    /// nil for every version ever seen.
    let keptVersions: Int?
    /// nil for no limit.
    let bytesPerSecond: UInt64?
    let isDebug: Bool
    let isOptional: Bool
    let checksSignatures: Bool
    var mirrors: [CheckedMirror]

    init(_ repository: Repository) {
        name = repository.name
        mode = repository.mode.rawValue
        keptVersions = repository.keptVersions
        bytesPerSecond = repository.bytesPerSecond
        isDebug = repository.isDebug
        isOptional = repository.isOptional
        checksSignatures = repository.checksSignatures
        mirrors = repository.mirrors.map { CheckedMirror(mirror: $0.description, answers: nil, detail: nil) }
    }

    /// Puts the answers into the order in which the mirrors are tried; those of the host's apt are at its place.
    mutating func sortMirrors(as repository: Repository) {
        let order = repository.mirrors.map(\.description)
        let apt = order.firstIndex(of: Mirror.hostAptSources.description) ?? order.count
        func place(_ mirror: CheckedMirror) -> Int { order.firstIndex(of: mirror.mirror) ?? apt }
        mirrors.sort { (place($0), $0.mirror) < (place($1), $1.mirror) }
    }

    enum CodingKeys: String, CodingKey {
        case name, mode, mirrors
        case keptVersions = "keep"
        case bytesPerSecond = "rate_limit"
        case isDebug = "debug"
        case isOptional = "optional"
        case checksSignatures = "gpgcheck"
    }
}

/// One place where a repository is.
struct CheckedMirror: Encodable {
    let mirror: String
    /// nil when it was not asked.
    let answers: Bool?
    /// What it has, or why it does not answer.
    let detail: String?
}
