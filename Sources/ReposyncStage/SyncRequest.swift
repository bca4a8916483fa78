package import CrashModel
package import Packages

/// What is to be mirrored.
package struct SyncRequest: Hashable, Sendable {
    package let releaseID: ReleaseID
    /// Names of packages, or `name=version`; empty for everything that the repositories have.
    package let packages: [String]
    /// Whether the dependencies of ``packages``, the debug symbols of them all, and the debuggers come too.
    package let withClosure: Bool

    package init(releaseID: ReleaseID, packages: [String] = [], withClosure: Bool = true) {
        self.releaseID = releaseID
        self.packages = packages
        self.withClosure = withClosure
    }
}

/// How a synchronisation that went well did so.
package struct SyncReport: Hashable, Sendable {
    /// The release as it is mirrored: `rhel-8-x86_64` where `rhel-8.4-x86_64` was asked for.
    package let releaseID: ReleaseID
    /// The packages of this request, already there or not.
    package let selectedCount: Int
    package let downloadedCount: Int
    /// Bytes of the packages that were downloaded; metadata is not counted.
    package let downloadedBytes: UInt64
    /// What the new index holds.
    package let index: PackageIndexSummary
    /// What a person should know, a sentence each: an optional repository that was not there, a package without files.
    package let remarks: [String]
    /// The packages of this request that have no good signature, by NEVRA.
    package var refused: [String] = []
    package let duration: Duration
}

/// How long and how hard a synchronisation tries.
package struct SyncLimits: Hashable, Sendable {
    /// Downloads at once.
    package var downloads = 6
    /// Tries of one file at one mirror, resumed where the last one stopped.
    package var attemptsPerMirror = 2
    /// How long a connection may take to come up, in seconds.
    package var connectSeconds: Int64 = 5
    /// How long a mirror may be silent, in seconds.
    package var silenceSeconds: Int64 = 60
    /// The least that a mirror must send in each ``silenceSeconds``, in bytes for a second.
    package var slowestBytesPerSecond: Int64 = 1024
    /// How long one file may take, in seconds; waits for the rate limit are not counted.
    package var fileSeconds: Int64 = 7200
    /// The largest decompressed list of packages or of files, in bytes; Debian's has 50 MB, Fedora's lists of files 1 GB.
    package var listBytes: Int64 = 2 << 30
    /// Packages that are read at once for the index.
    package var scans = 2

    package init() {}
}
