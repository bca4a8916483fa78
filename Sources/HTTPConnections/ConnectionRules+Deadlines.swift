import NIOCore
import NIOHTTP1

extension ConnectionRules {
    /// The times that deadlines count from. One timer serves them all: deadlines mostly move away from it, and then it is
    /// set anew when it has fired, so that a request costs no timer.
    struct Clock {
        /// When the head that is being read began; nil between requests and while one is answered.
        var headStarted: NIODeadline?
        /// The bytes of that head so far.
        var headBytes = 0
        /// When the last response was sent.
        var idleSince: NIODeadline?
        var body = BodyClock(start: .uptimeNanoseconds(0))
        /// Whether more bytes have been asked for than have come.
        var isReadAsked = false
        var hasBodyTimedOut = false
        var lingerStarted: NIODeadline?
        /// When bytes that nobody wants last came.
        var lastDrained: NIODeadline?
        /// When the socket last took bytes while some were waiting, and what was waiting then.
        var lastWrite: (at: NIODeadline, written: Int, waiting: Int)?
        /// The meter's ``ByteMeter/changes`` when the socket was last seen to have everything.
        var drainedAt = -1
        /// When it is to be looked at again; asking costs more than a poll, and who polls does so often.
        var nextLook = NIODeadline.uptimeNanoseconds(0)
        var timer: Scheduled<Void>?
        var timerAt: NIODeadline?
    }

    /// The times of a body that the client owes.
    struct BodyClock {
        /// When it last grew, or was asked for.
        var last: NIODeadline
        /// When more of it was asked for.
        var asked: NIODeadline
        /// What has come of it, in bytes, and how long the client was waited for.
        var bytes = 0
        var waited = TimeAmount.zero

        init(start: NIODeadline) { (last, asked) = (start, start) }

        /// When a client that sends no more has fallen below the pace; nil where there is none.
        func paceDeadline(_ limits: ConnectionLimits) -> NIODeadline? {
            guard limits.minBodyPace > 0 else { return nil }
            // Neither a body of any size nor a pace of one byte overflows.
            let due = (Double(bytes) / Double(limits.minBodyPace)).rounded(.down)
            let allowed = TimeAmount(limits.paceGrace) + .seconds(Int64(min(due, 1e9)))
            return asked + (allowed - waited)
        }
    }

    private enum Lapse { case head, body, pace, idle, linger, write }

    /// Bytes have come from the socket; false when they are not wanted any more.
    func takesBytes(_ count: Int) -> Bool {
        if clock.isReadAsked {
            clock.isReadAsked = false
            if isBodyOwed, let context {
                clock.body.waited = clock.body.waited + (context.eventLoop.now - clock.body.asked)
            }
        }
        guard phase == .lingering else { return true }
        drained += count
        clock.lastDrained = context?.eventLoop.now
        return false
    }

    private var isBodyOwed: Bool {
        guard phase == .open, let last = exchanges.last else { return false }
        return !last.isComplete && !last.holdsBodyBack
    }

    /// The parser has had these bytes.
    func didReceive(_ count: Int) {
        guard let context, phase == .open, exchanges.last?.isComplete ?? true else { return }
        // Heads that came whole have cleared this; what is left belongs to one that is not whole yet.
        clock.headBytes += count
        if exchanges.isEmpty {
            if clock.headStarted == nil { clock.headStarted = context.eventLoop.now }
            if clock.headBytes > limits.maxHeadBytes { refuse(HTTPParserError.headerOverflow) }
        }
        watch()
    }

    /// Sees to it that the timer fires no later than the next deadline.
    func watch() {
        guard let context, let (_, deadline) = nextLapse(context) else { return }
        if let timerAt = clock.timerAt, timerAt <= deadline { return }
        clock.timer?.cancel()
        clock.timerAt = deadline
        clock.timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.timerFired() }
    }

    func stopWatching() {
        clock.timer?.cancel()
        clock.timer = nil
    }

    private func timerFired() {
        clock.timer = nil
        clock.timerAt = nil
        guard let context, let (lapse, deadline) = nextLapse(context) else { return }
        if context.eventLoop.now >= deadline { act(on: lapse, context) }
        watch()
    }

    private func act(on lapse: Lapse, _ context: ChannelHandlerContext) {
        switch lapse {
        case .head where clock.headBytes > 0: refuse(HeadTimedOut())
        case .head, .idle, .linger, .write:
            phase = .lingering
            clock = Clock()
            context.close(mode: .all, promise: nil)
        case .body:
            clock.hasBodyTimedOut = true
            context.fireErrorCaught(BodyTimedOut())
        case .pace:
            clock.hasBodyTimedOut = true
            context.fireErrorCaught(BodyTooSlow(minPace: limits.minBodyPace))
        }
    }

    /// The next deadline; nil when the client owes nothing.
    private func nextLapse(_ context: ChannelHandlerContext) -> (Lapse, NIODeadline)? {
        let write = writeDeadline(context).map { (Lapse.write, $0) }
        guard let other = readDeadline() else { return write }
        guard let write else { return other }
        return write.1 < other.1 ? write : other
    }

    private func readDeadline() -> (Lapse, NIODeadline)? {
        switch phase {
        case .lingering: return clock.lingerStarted.map { (.linger, lingerDeadline($0)) }
        case .lastResponse: return nil
        case .open: break
        }
        guard let last = exchanges.last else {
            if let started = clock.headStarted { return (.head, started + TimeAmount(limits.headTimeout)) }
            return clock.idleSince.map { (.idle, $0 + TimeAmount(limits.keepAliveTimeout)) }
        }
        guard !last.isComplete, !last.holdsBodyBack, clock.isReadAsked, !clock.hasBodyTimedOut else { return nil }
        let silence = clock.body.last + TimeAmount(limits.bodyTimeout)
        guard let pace = clock.body.paceDeadline(limits), pace < silence else { return (.body, silence) }
        return (.pace, pace)
    }

    /// Whoever sends nothing has noticed; whoever goes on is read for a bounded time, and must keep the pace, unless the
    /// answer was that it has not done so. A server that stops waits for nobody who goes on.
    private func lingerDeadline(_ started: NIODeadline) -> NIODeadline {
        guard !clock.hasBodyTimedOut, !isStopping else { return started + TimeAmount(limits.lingerTimeout) }
        var body = BodyClock(start: started)
        body.bytes = drained
        let silence = (clock.lastDrained ?? started) + TimeAmount(limits.lingerTimeout)
        let end = min(silence, started + TimeAmount(limits.drainTimeout))
        return body.paceDeadline(limits).map { min($0, end) } ?? end
    }

    /// Bytes wait for the socket: it must have taken some of them by then.
    private func writeDeadline(_ context: ChannelHandlerContext) -> NIODeadline? {
        guard let meter, meter.changes != clock.drainedAt else { return nil }
        let now = context.eventLoop.now
        guard clock.lastWrite != nil || now >= clock.nextLook else { return clock.nextLook }
        clock.nextLook = now + .seconds(1)
        let written = meter.written
        let waiting = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        guard waiting > 0 else {
            clock.lastWrite = nil
            clock.drainedAt = meter.changes
            return nil
        }
        if let last = clock.lastWrite, waiting >= last.waiting + (written - last.written) {
            return last.at + TimeAmount(limits.writeTimeout)
        }
        clock.lastWrite = (now, written, waiting)
        return now + TimeAmount(limits.writeTimeout)
    }
}
