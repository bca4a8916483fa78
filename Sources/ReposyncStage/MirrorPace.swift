/// Tells a mirror that sends a byte now and then from one that sends a file: it must keep up a least pace.
///
/// Only the time that is spent waiting for the mirror counts, not what the disk or a rate limit takes.
struct MirrorPace: Sendable {
    private let window: Duration
    private let leastBytes: Int64
    private let longest: Duration
    private var waited = Duration.zero
    private var waitedInWindow = Duration.zero
    private var bytesInWindow: Int64 = 0

    init(_ limits: SyncLimits) {
        window = .seconds(max(limits.silenceSeconds, 1))
        leastBytes = limits.slowestBytesPerSecond * max(limits.silenceSeconds, 1)
        longest = .seconds(limits.fileSeconds)
    }

    /// Counts what came after a wait.
    ///
    /// - Throws: ``MirrorFailure`` when it is too little, or the file takes too long.
    mutating func received(_ count: Int, of name: String, after wait: Duration) throws {
        waited += wait
        waitedInWindow += wait
        bytesInWindow += Int64(count)
        guard waited <= longest else {
            throw MirrorFailure(.unreachable, "\(name) did not come within \(longest.components.seconds) seconds")
        }
        guard waitedInWindow >= window else { return }
        guard bytesInWindow >= leastBytes else {
            throw MirrorFailure(
                .unreachable,
                "\(name) comes too slowly: \(bytesInWindow) bytes in \(waitedInWindow.components.seconds) seconds")
        }
        waitedInWindow = .zero
        bytesInWindow = 0
    }
}
