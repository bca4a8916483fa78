/// What was witnessed so far, such as the lines of a log, and a way to wait for more of it.
actor Record<Entry: Sendable> {
    private(set) var entries: [Entry] = []
    private var watchers: [Int: AsyncStream<Void>.Continuation] = [:]
    private var nextWatcher = 0

    func append(_ entry: Entry) {
        entries.append(entry)
        for watcher in watchers.values { watcher.yield() }
    }

    /// The first entry at or after an index that fits, as soon as it is there; nil when none came in time.
    func first(
        from index: Int = 0, within limit: Duration, where fits: @escaping @Sendable (Entry) -> Bool
    ) async -> Entry? {
        let (changes, watcher) = AsyncStream.makeStream(of: Void.self)
        let number = nextWatcher
        nextWatcher += 1
        watchers[number] = watcher
        defer { watchers[number] = nil }
        // A deadline, not a pause: it ends the stream for the loop below.
        let deadline = Task {
            try await Task.sleep(for: limit)
            watcher.finish()
        }
        defer { deadline.cancel() }
        var seen = index
        while true {
            while seen < entries.count {
                if fits(entries[seen]) { return entries[seen] }
                seen += 1
            }
            var iterator = changes.makeAsyncIterator()
            guard await iterator.next() != nil else { return nil }
        }
    }
}
