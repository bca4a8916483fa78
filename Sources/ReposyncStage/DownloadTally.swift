import Synchronization

/// How much of all downloads together has come.
final class DownloadTally: Sendable {
    let fileCount: Int
    private let total: Double
    private let received = Mutex(0.0)

    /// - Parameter total: The bytes of all files.
    init(total: Double, fileCount: Int) {
        self.total = max(total, 1)
        self.fileCount = fileCount
    }

    /// Counts bytes; gives the part of the whole, from 0 to 1.
    func add(_ count: Int) -> Double {
        received.withLock { received in
            received += Double(count)
            return min(received / total, 1)
        }
    }
}
