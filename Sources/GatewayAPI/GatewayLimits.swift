package import SystemPackage

/// The limits of the HTTP API. Names in brackets are the keys of the system that this one replaces.
package struct GatewayLimits: Sendable {
    /// How many uploads and tasks may be in work at once (MaxParallelTasks).
    package var maxParallelTasks: Int
    /// The largest upload, in MiB (MaxPackedSize).
    package var maxPackedMebibytes: Int
    /// The largest unpacked archive, in MiB (MaxUnpackedSize); ingest enforces it, clients are told.
    package var maxUnpackedMebibytes: Int
    /// The largest dump of a kernel, packed and unpacked, in MiB; nil for the limits of all uploads.
    package var maxKernelDumpMebibytes: Int?
    /// The directories of the server whose dumps of kernels may be named instead of sent (AllowExternalDir).
    package var serverDumps: [FilePath] = []
    /// What must stay free on the spool's file system, in MiB (MinStorageLeft).
    package var minFreeMebibytes: Int
    /// How long an upload may take, so that a client that trickles cannot hold a place for ever.
    package var uploadTimeout: Duration
    /// How long a new job may wait for an ingest worker before it is asked whether there is one at all; if not, the client
    /// is sent away.
    package var pickupTimeout: Duration
    /// How long the client waits for ingest's verdict after its upload. ABRT's client hangs up after 60 s of silence.
    package var verdictTimeout: Duration
    /// What `Retry-After` says on a 503, in seconds.
    package var retryAfterSeconds: Int
    /// Whether task types 3 and 4 are taken (AllowInteractive).
    package var allowInteractive: Bool
    /// Whether `/metrics` answers (AllowMetrics).
    package var allowMetrics: Bool
    /// Whether the owner of a task may delete it (AllowAPIDelete).
    package var allowDelete = true
    /// The limits of those who listen to a task.
    package var events = EventStreamLimits()
    /// The media types of uploads, in the order in which `/settings` lists them; ABRT's client looks for the first.
    package var formats: [String]
    /// How long tasks are kept, for the notice on the front page.
    package var lifetime = TaskLifetime()

    package init(
        maxParallelTasks: Int = 10, maxPackedMebibytes: Int = 1024, maxUnpackedMebibytes: Int = 8192,
        minFreeMebibytes: Int = 1024, uploadTimeout: Duration = .seconds(3600), pickupTimeout: Duration = .seconds(5),
        verdictTimeout: Duration = .seconds(45),
        retryAfterSeconds: Int = 30, allowInteractive: Bool = false, allowMetrics: Bool = false,
        formats: [String] = Self.knownFormats
    ) {
        self.maxParallelTasks = maxParallelTasks
        self.maxPackedMebibytes = maxPackedMebibytes
        self.maxUnpackedMebibytes = maxUnpackedMebibytes
        self.minFreeMebibytes = minFreeMebibytes
        self.uploadTimeout = uploadTimeout
        self.pickupTimeout = pickupTimeout
        self.verdictTimeout = verdictTimeout
        self.retryAfterSeconds = retryAfterSeconds
        self.allowInteractive = allowInteractive
        self.allowMetrics = allowMetrics
        self.formats = formats
    }

    /// What ingest unpacks. ABRT's client reads at most 16 formats and needs the first of these.
    package static let knownFormats = [
        "application/x-xz-compressed-tar", "application/x-gzip", "application/x-tar", "application/zstd",
    ]

    /// The largest upload of a kind, in MiB.
    func packedMebibytes(ofKernel isKernel: Bool) -> Int {
        isKernel ? maxKernelDumpMebibytes ?? maxPackedMebibytes : maxPackedMebibytes
    }
    /// What is taken as a kernel's dump that nobody packed.
    static let plainFormat = "application/octet-stream"

    var minFreeBytes: UInt64 { UInt64(max(0, minFreeMebibytes)) << 20 }
}
