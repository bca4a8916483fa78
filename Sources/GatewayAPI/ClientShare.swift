import HTTPTypes

/// What one client may hold of what is there for all, so that no few of them keep everybody else out.
struct ClientShare: Equatable {
    /// Uploads and unfinished tasks together.
    let places: Int
    /// The disk space that its uploads have yet to fill, in bytes.
    let bytes: UInt64

    /// Of which a client would hold too much.
    enum Excess { case places, bytes }

    /// - Parameters:
    ///   - percent: The share of each.
    ///   - limit: How many uploads and tasks there may be.
    ///   - spare: What uploads may fill of the disk, in bytes.
    init(percent: Int, ofPlaces limit: Int, ofBytes spare: UInt64) {
        places = max(1, limit * percent / 100)
        bytes = spare / 100 * UInt64(max(0, percent))
    }
}

extension ClientLimiter {
    /// Lets an upload count for its client's share of what is there for all.
    ///
    /// - Parameters:
    ///   - limit: How many uploads and tasks there may be.
    ///   - spare: What uploads may fill of the disk, in bytes.
    /// - Throws: ``Refusal`` with 429.
    func claimShare(
        for upload: ClientUpload, in slot: UploadSlot, ofPlaces limit: Int, ofBytes spare: UInt64,
        retryAfterSeconds: Int
    ) throws(Refusal) {
        guard let client = upload.client else { return }
        let share = ClientShare(percent: limits.sharePercent, ofPlaces: limit, ofBytes: spare)
        switch slot.claim(for: client, within: share) {
        case nil: return
        case .places:
            throw Refusal(
                .tooManyRequests, .tooManyInWork, advice: .tryAgainInAWhile, with: ["limit": share.places],
                retryAfterSeconds: retryAfterSeconds)
        case .bytes:
            throw Refusal(
                .tooManyRequests, .tooMuchDiskSpace, advice: .waitForAnUpload, retryAfterSeconds: retryAfterSeconds)
        }
    }
}
