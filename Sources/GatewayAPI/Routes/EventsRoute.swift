import CrashModel
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle
import TaskStorage

/// `/<id>/events`: the status of a task as it changes, as server-sent events.
///
/// What the stages said comes as `stage`, then the whole status as `status`; `end` is the last event. The ids are the
/// numbers of the task's events in the database, so a client that comes again with `Last-Event-ID` gets what it missed,
/// also from a gateway that was started anew. A client that has seen the end gets 204, which tells a browser to stay away.
struct EventsRoute: Sendable {
    let dependencies: GatewayDependencies
    private let languages: Languages
    private let listeners = TaskListeners()

    init(dependencies: GatewayDependencies, languages: Languages) {
        self.dependencies = dependencies
        self.languages = languages
    }

    private var limits: EventStreamLimits { dependencies.limits.events }

    private enum Signal {
        case changed
        case quiet
        case over
    }

    func add(to router: GatewayRouter) {
        let access = TaskAccess(dependencies: dependencies)
        router.onGet(":id/events") { request, context in
            let task = try await access.task(request, context)
            let last = request.headers[.lastEventID].flatMap { Int($0) } ?? 0
            if task.state != .pending, let report = try await dependencies.report(of: task.id),
                last >= report.snapshot.lastEvent, last > 0
            {
                return Response(status: .noContent)
            }
            guard listeners.join(task.id, limits) else {
                throw Refusal(
                    .serviceUnavailable, .tooManyListeners, advice: .askNowAndThen, with: ["task": "/\(task.id)"],
                    retryAfterSeconds: dependencies.limits.retryAfterSeconds)
            }
            return response(task.id, after: max(0, last), in: languages.language(for: request.headers))
        }
    }

    private func response(_ task: TaskID, after last: Int, in language: Language) -> Response {
        let place = ListenerPlace(task, of: listeners)
        var headers = HTTPFields()
        headers[.contentType] = "text/event-stream"
        headers[.cacheControl] = "no-store"
        headers[.accelBuffering] = "no"
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                // Subscribed before the first look, so that nothing falls between the two.
                let changes = dependencies.store.changes(of: task)
                let stream = EventStream(task: task, last: last, language: language, dependencies: dependencies)
                try await send(stream, changes, to: &writer)
                try await writer.finish(nil)
                withExtendedLifetime(place) {}
            })
    }

    private func send(
        _ stream: EventStream, _ changes: AsyncStream<Void>, to writer: inout any ResponseBodyWriter
    ) async throws {
        var stream = stream
        try await withThrowingTaskGroup(of: Void.self) { group in
            let (signals, signal) = AsyncStream.makeStream(of: Signal.self, bufferingPolicy: .bufferingNewest(4))
            group.addTask { for await _ in changes { signal.yield(.changed) } }
            group.addTask { [clock = dependencies.clock, pause = limits.keepAlive] in
                while (try? await clock.sleep(for: pause)) != nil { signal.yield(.quiet) }
            }
            group.addTask { [clock = dependencies.clock, lifetime = limits.lifetime] in
                if (try? await clock.sleep(for: lifetime)) != nil { signal.yield(.over) }
            }
            group.addTask { if (try? await gracefulShutdown()) != nil { signal.yield(.over) } }
            defer { group.cancelAll() }
            signal.yield(.changed)
            for await signal in signals {
                if case .over = signal { break }
                let news = try await stream.news()
                if news.readableBytes > 0 {
                    try await writer.write(news)
                } else if case .quiet = signal {
                    try await writer.write(ByteBuffer(string: ": still here\n\n"))
                }
                if stream.isOver { break }
            }
        }
    }
}

/// The place of one listener; given back when the answer is over, or was never begun.
private final class ListenerPlace: Sendable {
    private let task: TaskID
    private let listeners: TaskListeners

    init(_ task: TaskID, of listeners: TaskListeners) {
        self.task = task
        self.listeners = listeners
    }

    deinit { listeners.leave(task) }
}

/// What one listener has been told, and what is new to it.
private struct EventStream {
    let task: TaskID
    /// The number of the last event that was sent.
    var last: Int
    /// Of the sentences in the status.
    let language: Language
    let dependencies: GatewayDependencies
    private(set) var isOver = false
    private var lastData: [UInt8] = []
    private var hasBegun = false

    init(task: TaskID, last: Int, language: Language, dependencies: GatewayDependencies) {
        self.task = task
        self.last = last
        self.language = language
        self.dependencies = dependencies
    }

    /// Everything since the last call; empty when nothing has changed.
    mutating func news() async throws -> ByteBuffer {
        var buffer = ByteBuffer()
        if !hasBegun { buffer.writeString("retry: 2000\n\n") }
        hasBegun = true
        guard let report = try await dependencies.report(of: task, eventsAfter: last) else {
            isOver = true
            ServerSentEvent(name: "end", id: last, data: Array("{\"state\":\"REMOVED\"}".utf8)).write(to: &buffer)
            return buffer
        }
        for event in report.snapshot.events { try ServerSentEvent(event).write(to: &buffer) }
        let status = try ServerSentEvent(report, in: language)
        if status.data != lastData { status.write(to: &buffer) }
        (last, lastData) = (report.snapshot.lastEvent, status.data)
        if report.snapshot.task.state != .pending {
            isOver = true
            let state = "{\"state\":\"\(report.snapshot.task.state.rawValue)\"}"
            ServerSentEvent(name: "end", id: last, data: Array(state.utf8)).write(to: &buffer)
        }
        return buffer
    }
}
