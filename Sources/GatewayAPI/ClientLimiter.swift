import HTTPTypes
import Synchronization

/// What one client address may do.
package struct ClientLimits: Sendable {
    /// Uploads that may be begun in an hour; as many may come at once.
    package var tasksPerHour: Int
    /// Uploads at a time.
    package var parallelUploads: Int
    /// Connections at a time, for whoever accepts them.
    package var connections: Int
    /// Wrong passwords and unknown ids in an hour.
    package var wrongPasswordsPerHour: Int
    /// The percentage of all places, and of the disk space for uploads, that one client may hold; one upload is always let in.
    package var sharePercent: Int
    /// Addresses that are not limited.
    package var exempt: [AddressRange]
    /// How many clients are remembered. Beyond it the one that has done least is forgotten.
    package var maxClients: Int

    package init(
        tasksPerHour: Int = 600, parallelUploads: Int = 20, wrongPasswordsPerHour: Int = 100,
        sharePercent: Int = 100, connections: Int = 512, exempt: [AddressRange] = [], maxClients: Int = 65_536
    ) {
        self.tasksPerHour = tasksPerHour
        self.parallelUploads = parallelUploads
        self.connections = connections
        self.wrongPasswordsPerHour = wrongPasswordsPerHour
        self.sharePercent = sharePercent
        self.exempt = exempt
        self.maxClients = maxClients
    }
}

/// Counts what each client address does and says when it is too much.
///
/// It remembers no address, only a hash under a key that ends with the process, for no longer than an hour, and at most
/// ``ClientLimits/maxClients`` of them. Nothing is logged or stored.
package final class ClientLimiter: Sendable {
    /// What a client has used up.
    private struct Usage {
        var uploads = 0
        var tasks = Allowance()
        var wrongPasswords = Allowance()

        func isIdle(at now: Int64) -> Bool { uploads == 0 && tasks.fullAt <= now && wrongPasswords.fullAt <= now }
    }

    private struct State {
        var clients: [Int: Usage] = [:]
        /// No client is idle before this, so that a full table is not searched for one again and again.
        var nextSweep: Int64 = 0
    }

    package let limits: ClientLimits
    private let now: @Sendable () -> Int64
    private let salt = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
    private let state = Mutex(State())

    /// - Parameter now: Microseconds of a clock that never goes back.
    package init(_ limits: ClientLimits = ClientLimits(), now: @escaping @Sendable () -> Int64 = uptimeMicroseconds) {
        self.limits = limits
        self.now = now
    }

    /// How many clients are remembered.
    var count: Int { state.withLock { $0.clients.count } }
    /// How many limited uploads are under way.
    package var uploads: Int { state.withLock { $0.clients.values.reduce(0) { $0 + $1.uploads } } }

    /// Counts a wrong password, or the id of no task, that came from `client`. Everybody who compares passwords calls this
    /// for each that does not match, and answers with what it gives, if anything, instead of saying what was wrong.
    ///
    /// A right password is never refused, so somebody who guesses does not lock others out who share the address.
    ///
    /// - Parameter isCertain: Whether the request is that address's own, or passed on by a trusted proxy: one that somebody
    ///   else passed on is not exempt, however near the proxy is.
    /// - Returns: 429 when it was one too many; nil when the client may be told what was wrong.
    func wrongPassword(from client: ClientAddress?, isCertain: Bool = true) -> Refusal? {
        guard let client, !(isCertain && isExempt(client)) else { return nil }
        let perHour = limits.wrongPasswordsPerHour
        let wait = change(client) { usage, now in usage.wrongPasswords.take(perHour: perHour, now) }
        return wait.map {
            Refusal(
                .tooManyRequests, .tooManyWrongPasswords, advice: .checkIDAndPassword, retryAfterSeconds: $0)
        }
    }

    /// Takes a place for an upload from `client`.
    ///
    /// - Parameter isCertain: As of ``wrongPassword(from:isCertain:)``.
    /// - Throws: ``Refusal`` with 429.
    func admitUpload(from client: ClientAddress?, isCertain: Bool = true) throws(Refusal) -> ClientUpload {
        guard let client, !(isCertain && isExempt(client)) else { return ClientUpload() }
        let limits = limits
        let (isBusy, wait) = change(client) { usage, now -> (Bool, Int?) in
            guard usage.uploads < limits.parallelUploads else { return (true, 1) }
            let wait = usage.tasks.take(perHour: limits.tasksPerHour, now)
            if wait == nil { usage.uploads += 1 }
            return (false, wait)
        }
        guard let wait else { return ClientUpload(of: self, key(client)) }
        throw isBusy
            ? Refusal(
                .tooManyRequests, .tooManyUploads, advice: .waitForAnUpload,
                with: ["limit": limits.parallelUploads], retryAfterSeconds: 10)
            : Refusal(
                .tooManyRequests, .tooManyTasksInAnHour, advice: .tryLaterOrAskForMore,
                with: ["limit": limits.tasksPerHour], retryAfterSeconds: wait)
    }

    fileprivate func endUpload(_ key: Int) { state.withLock { $0.clients[key]?.uploads -= 1 } }

    /// What stands for a client as long as this process lives; nil for one that is not limited.
    package func number(of client: ClientAddress) -> Int? { isExempt(client) ? nil : key(client) }

    private func isExempt(_ client: ClientAddress) -> Bool { limits.exempt.contains { $0.contains(client) } }

    private func key(_ client: ClientAddress) -> Int {
        var hasher = Hasher()
        hasher.combine(salt.0)
        hasher.combine(salt.1)
        hasher.combine(client.network)
        return hasher.finalize()
    }

    private func change<Answer>(_ client: ClientAddress, _ body: (inout Usage, Int64) -> Answer) -> Answer {
        let (key, now) = (key(client), now())
        return state.withLock { state in
            if state.clients[key] == nil { makeRoom(&state, now) }
            return body(&state.clients[key, default: Usage()], now)
        }
    }

    /// Forgets whoever has done nothing for so long that it makes no difference, and if that is not enough, those who have
    /// done least. Clients that are uploading stay; there are no more of them than uploads are admitted.
    private func makeRoom(_ state: inout State, _ now: Int64) {
        guard state.clients.count >= limits.maxClients else { return }
        if now >= state.nextSweep {
            state.clients = state.clients.filter { !$0.value.isIdle(at: now) }
            state.nextSweep = now + 60_000_000
        }
        guard state.clients.count >= limits.maxClients else { return }
        // A sixteenth at a time, so that a flood of addresses does not sort the table for each of them.
        let least = state.clients.filter { $0.value.uploads == 0 }
            .map { (key: $0.key, fullAt: max($0.value.tasks.fullAt, $0.value.wrongPasswords.fullAt)) }
            .sorted { $0.fullAt < $1.fullAt }
        for client in least.prefix(max(1, limits.maxClients / 16)) { state.clients[client.key] = nil }
    }
}

/// One client's upload among those that its address may make at a time.
final class ClientUpload: Sendable {
    private let owner: ClientLimiter?
    private let key: Int
    private let hasEnded = Mutex(false)

    fileprivate init(of owner: ClientLimiter? = nil, _ key: Int = 0) {
        self.owner = owner
        self.key = key
    }

    /// What stands for the client; nil for one that is not limited.
    var client: Int? { owner == nil ? nil : key }

    /// The upload is over; calling it again is harmless.
    func end() {
        let isFirst = hasEnded.withLock { ended in
            defer { ended = true }
            return !ended
        }
        if isFirst { owner?.endUpload(key) }
    }
}

/// So many per hour, of which all may come at once: the generic cell rate algorithm (ITU-T I.371, annex A), which needs
/// one number for each client.
private struct Allowance {
    /// When everything that was used up has come back, in microseconds.
    var fullAt: Int64 = .min

    /// - Returns: nil when there was one left, else the seconds until there is.
    mutating func take(perHour: Int, _ now: Int64) -> Int? {
        let hour: Int64 = 3_600_000_000
        let each = hour / Int64(max(1, perHour))
        let next = max(fullAt, now) + each
        guard next - now > hour else {
            fullAt = next
            return nil
        }
        return Int((next - now - hour + 999_999) / 1_000_000)
    }
}
