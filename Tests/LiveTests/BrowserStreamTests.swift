import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import TestFixtures
import Testing

extension LiveTests.BrowserTests {
    /// As many listen as may, so the page gets 503 where it would listen; a browser then never tries again by itself. Then
    /// the gateway is away for a while, too.
    @Test func pageWhoseStreamIsRefusedAsksForTheStatus() async throws {
        let stack = try runningStack()
        #expect(Browser.missing == [], "install what is missing")
        let (resolver, retracer) = (try stack.service("resolver"), try stack.service("retracer"))
        let gateway = try stack.service("gateway")
        try await signal(resolver, SIGSTOP)
        try await signal(retracer, SIGSTOP)
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 16
        let listeners = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            let task = try await stack.submit(try stack.crashFiles("plain"))
            var streams: [HTTPClientResponse] = []
            for _ in 0..<8 {
                var request = HTTPClientRequest(url: await url(stack, "/\(task.id)/events"))
                request.headers.add(name: "X-Task-Password", value: task.password)
                streams.append(try await listeners.execute(request, timeout: .seconds(600)))
            }
            #expect(streams.map(\.status.code) == [UInt](repeating: 200, count: 8))
            try await Browser.with(stack) { browser in
                try await browser.visit(url(stack, "/\(task.id)"))
                try await browser.type(task.password, into: "#password")
                try await browser.follow("form button")
                var refusals: [String] = []
                try await stack.until("the stream is refused", within: .seconds(30)) {
                    refusals += try await browser.complaints()
                    return refusals.contains { $0.contains("/events") && $0.contains("503") }
                }
                _ = try await browser.value("window.mark = 'the same page'")
                try await signal(resolver, SIGCONT)
                try await stack.until("the page shows that the root is built", within: .seconds(60)) {
                    try await browser.value("!!document.querySelector('[data-stage=build].done')") == "true"
                }
                #expect(await gateway.end(with: SIGKILL) != nil)
                do {
                    try await stack.until("the page asks in vain", within: .seconds(30)) {
                        try await browser.complaints().contains { $0.contains("ERR_CONNECTION_REFUSED") }
                    }
                } catch {
                    try await stack.start(gateway)
                    throw error
                }
                try await stack.start(gateway)
                #expect(try await browser.value("window.mark") == "the same page")
                try await signal(retracer, SIGCONT)
                try await stack.until("the page shows the backtrace", within: .seconds(60)) {
                    // Between two pages there is none that a script could run in.
                    (try? await browser.text(of: "h1")) == "SIGSEGV in look"
                }
            }
            withExtendedLifetime(streams) {}
        } catch {
            try await signal(resolver, SIGCONT)
            try await signal(retracer, SIGCONT)
            try await listeners.shutdown()
            throw error
        }
        try await listeners.shutdown()
    }
}
