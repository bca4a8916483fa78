import CrashModel
import Glibc
import HTTPTypes
import HummingbirdTesting
import NIOCore
import SystemPackage
import TaskStorage
import Testing

@testable import GatewayAPI

@Suite struct PageTests {
    private static let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

    private func open(
        _ client: any TestClientProtocol, _ task: TaskID, _ form: String, more: HTTPFields = [:]
    ) async throws -> TestResponse {
        var headers = more
        headers[.contentType] = "application/x-www-form-urlencoded"
        return try await client.execute(
            uri: "/\(task)/open", method: .post, headers: headers, body: ByteBuffer(string: form)
        ) { $0 }
    }

    @Test func browserWithoutThePasswordSeesAFormWhetherTheTaskExistsOrNot() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, _) = try await bench.makeTask()
            let known = try await client.get("/\(directory.task)", accept: Self.browser)
            let unknown = try await client.get("/123", accept: Self.browser)
            for response in [known, unknown] {
                #expect(response.status == .forbidden && response.isWellFormed("text/html"))
                #expect(response.text.contains("type=\"password\"") && response.text.contains("/open"))
                #expect(response.headers[.cacheControl] == "no-store")
                #expect(response.headers[.referrerPolicy] == "no-referrer")
            }
            let name = directory.task.description
            #expect(known.text.replacing(name, with: "123") == unknown.text)
        }
    }

    @Test func rightPasswordBecomesACookieOfTheTaskAlone() async throws {
        try await GatewayBench.run(access: AccessRule(requireHTTPS: true, listener: .tls)) { bench, client in
            let (directory, password) = try await bench.makeTask()
            let (other, _) = try await bench.makeTask()
            let response = try await open(client, directory.task, "password=\(password)")
            #expect(response.status == .seeOther && response.headers[.location] == "/\(directory.task)")
            let cookie = try #require(response.headers[.setCookie])
            for part in ["Path=/\(directory.task);", "HttpOnly", "SameSite=Strict", "; Secure"] {
                #expect(cookie.contains(part))
            }
            let sent: HTTPFields = [.cookie: "retrace-task=\(password)"]
            let page = try await client.get("/\(directory.task)", accept: Self.browser, more: sent)
            #expect(page.status == .ok && page.isWellFormed("text/html") && !page.text.contains(password))
            #expect(page.headers[.taskStatus] == "PENDING")
            #expect(page.text.contains("http-equiv=\"refresh\"") && page.text.contains("/events"))
            #expect(try await client.get("/\(directory.task)/log", more: sent).status == .notFound)
            let stranger = try await client.get("/\(other.task)", accept: Self.browser, more: sent)
            #expect(stranger.status == .forbidden && stranger.text.contains("no task with this id and password"))
        }
    }

    @Test(arguments: [
        "password=wrong", "password=", "", "password=a%0d%0ab", "password=a;b", "word=x", "password=\u{e4}",
        "password=" + String(repeating: "a", count: 129),
    ])
    func wrongPasswordGetsNoCookie(form: String) async throws {
        try await GatewayBench.run { bench, client in
            let (directory, _) = try await bench.makeTask()
            for task in [directory.task, try TaskID("123")] {
                let response = try await open(client, task, form)
                #expect(response.status == .forbidden && response.headers[.setCookie] == nil)
                #expect(response.text.contains("role=\"alert\""))
            }
        }
    }

    @Test func formLargerThanAnyIsRefused() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, _) = try await bench.makeTask()
            let form = "password=" + String(repeating: "a", count: 10_000)
            #expect(try await open(client, directory.task, form).status == .contentTooLarge)
        }
    }

    @Test func otherSitesCanNeitherOpenNorUseTheCookie() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask()
            var foreign: HTTPFields = [.cookie: "retrace-task=\(password)"]
            foreign[.secFetchSite] = "cross-site"
            #expect(try await open(client, directory.task, "password=\(password)", more: foreign).status == .forbidden)
            #expect(try await client.get("/\(directory.task)/log", more: foreign).status == .forbidden)
            let page = try await client.get("/\(directory.task)", accept: Self.browser, more: foreign)
            #expect(page.status == .forbidden)
        }
    }

    @Test func buttonDeletesTheTaskAndALinkDoesNot() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask([.succeeded])
            let path = "/\(directory.task)"
            let sent: HTTPFields = [.cookie: "retrace-task=\(password)"]
            let page = try await client.get(path, accept: Self.browser, more: sent)
            #expect(page.text.contains("action=\"\(path)/delete\""))
            let link = try await client.get("\(path)/delete", accept: Self.browser, more: sent)
            #expect(link.status == .forbidden)
            #expect(try await bench.store.contains(directory.task))
            let button = try await client.get("\(path)/delete", method: .post, accept: Self.browser, more: sent)
            #expect(button.status == .ok && button.isWellFormed("text/html") && button.text.contains("is deleted"))
            #expect(try await !bench.store.contains(directory.task))
        }
        var limits = GatewayLimits()
        limits.allowDelete = false
        try await GatewayBench.run(limits: limits) { bench, client in
            let (directory, password) = try await bench.makeTask([.succeeded])
            let page = try await client.get("/\(directory.task)", password: password, accept: Self.browser)
            #expect(page.status == .ok && !page.text.contains("/delete"))
        }
    }

    @Test func formKnowsTheLimitOfEachKind() async throws {
        var limits = GatewayLimits(maxPackedMebibytes: 10, maxUnpackedMebibytes: 77)
        for (kernel, bytes) in [(nil, 10 << 20), (4000, 4000 << 20)] as [(Int?, Int)] {
            limits.maxKernelDumpMebibytes = kernel
            try await GatewayBench.run(limits: limits) { _, client in
                let page = try await client.get("/submit", accept: Self.browser).text
                #expect(page.contains("data-largest=\"\(10 << 20)\" data-largest-kernel=\"\(bytes)\""))
                #expect(page.contains("At most 10 MiB packed and 77 MiB unpacked"))
                #expect(page.contains("of a kernel 4000 MiB") == (kernel != nil))
            }
        }
    }

    @Test func pagesRunNoScriptButOurOwn() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask([.started, .succeeded])
            for path in ["/", "/submit", "/stats", "/\(directory.task)"] {
                let response = try await client.get(path, password: password, accept: Self.browser)
                #expect(response.status == .ok && response.isWellFormed("text/html"))
                let policy = try #require(response.headers[.contentSecurityPolicy])
                #expect(policy.contains("default-src 'none'") && !policy.contains("unsafe"))
                #expect(!response.text.contains("style=\"") && !response.text.contains("<style"))
                #expect(!response.text.contains("onclick") && !response.text.contains("javascript:"))
                #expect(!response.text.contains("{{"))
            }
        }
    }

    @Test(arguments: [
        ("style.css", "text/css"), ("icon.svg", "image/svg+xml"), ("task.js", "text/javascript"),
        ("submit.js", "text/javascript"), ("dump.js", "text/javascript"),
    ])
    func assetsHaveTagsAndAreCompressed(name: String, type: String) async throws {
        try await GatewayBench.run { _, client in
            let response = try await client.get("/assets/\(name)")
            #expect(response.status == .ok && response.isWellFormed(type))
            let tag = try #require(response.headers[.eTag])
            #expect(try await client.get("/assets/\(name)", more: [.ifNoneMatch: tag]).status == .notModified)
            let packed = try await client.get("/assets/\(name)", more: [.acceptEncoding: "gzip"])
            #expect((packed.headers[.contentEncoding] == "gzip") == (response.body.readableBytes >= 1024))
            #expect(try await client.get("/assets/../\(name)").status == .notFound)
        }
    }

    @Test func failedTaskSaysWhyOnItsPage() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask([.started], stage: .resolve)
            let error = StageError(
                .resolve, StageError.Code("unknown-release"), "<b>No such release.", advice: "Ask & see.",
                toolOutput: "<i>last words")
            _ = try await bench.store.apply(
                TaskEvent(
                    task: directory.task, stage: .resolve, kind: .failed, microseconds: 7, message: "No.", error: error)
            )
            let page = try await client.get("/\(directory.task)", password: password, accept: Self.browser).text
            for part in ["&lt;b&gt;No such release.", "Ask &amp; see.", "&lt;i&gt;last words", "unknown-release"] {
                #expect(page.contains(part))
            }
            #expect(!page.contains("<b>No"))
        }
    }

    @Test func backtraceIsShownWithTheProgramsFramesApart() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask([.started, .succeeded])
            try write(
                """
                {"version":1,"executable":"/usr/bin/app","crash_function":"boom","signal":{"number":11,"name":"SIGSEGV"},
                "remarks":["A remark."],"threads":[
                {"number":2,"crashed":false,"frames":[{"level":0,"address":"0x1","function":"poll"}]},
                {"number":1,"name":"app","crashed":true,"end_reason":"Cut.","frames":[
                {"level":0,"address":"0x2","function":"boom","file":"/src/a.c","line":7,"module":"/usr/bin/app",
                "package":"app-1-1.amd64","inlined":true,"arguments":[{"name":"x","value":"1"}],
                "locals":[{"name":"y","value":"2"}],"source":{"first_line":6,"lines":["{","  *p = 1;","}"]}},
                {"level":1,"address":"0x3","module":"/lib/libc.so.6"}]}],
                "modules":[{"path":"/lib/libc.so.6","build_id":"abcd","status":"without-debuginfo","reason":"None."},
                {"path":"linux-vdso.so.1","status":"virtual"}]}
                """.utf8, to: directory.backtraceJSON)
            let page = try await client.get("/\(directory.task)", password: password, accept: Self.browser).text
            #expect(page.contains("<h1>SIGSEGV in boom</h1>"))
            #expect(page.contains("<li class=\"frame program\">") && page.contains("<li class=\"frame library\">"))
            let halves = page.split(separator: "Thread 2, 1 frames")
            #expect(halves.count == 2 && halves.first?.contains("The thread that crashed") == true)
            for part in [
                "(x=1)", "1 local variable", "class=\"here\"><td>7</td>", "/src/a.c:7", "A remark.", "Cut.",
                "mirror its debug package", "1 file and its package", "inlined",
            ] { #expect(page.contains(part), "\(part)") }
        }
    }

    @Test(arguments: [
        ("Kernel panic - not syncing: sysrq triggered crash", "Kernel panic - not syncing: sysrq triggered crash"),
        (
            "BUG: kernel NULL pointer dereference, address: <b>\u{202e}0",
            "BUG: kernel NULL pointer dereference, address: &lt;b&gt;\u{fffd}0"
        ),
    ])
    func headlineOfAKernelsCrashIsItsOwnWords(panic: String, shown: String) async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask([.started])
            _ = try await bench.store.apply(
                TaskEvent(
                    task: directory.task, stage: .retrace, kind: .succeeded, microseconds: 9, message: "Done.",
                    facts: ["kernel": "6.1.0-1-amd64", "crash_function": "culprit", "panic": panic]))
            let path = "/\(directory.task)"
            let bare = try await client.get(path, password: password, accept: Self.browser).text
            let json = panic.replacing("\u{202e}", with: "\\u202e")
            try write(
                #"{"version":1,"crash_function":"culprit","kernel":{"panic":"\#(json)"},"threads":[],"modules":[]}"#
                    .utf8,
                to: directory.backtraceJSON)
            let page = try await client.get(path, password: password, accept: Self.browser).text
            for text in [bare, page] {
                #expect(text.contains("<h1>\(shown)</h1>"), "\(text)")
                #expect(text.contains("<dt>Kernel</dt><dd>6.1.0-1-amd64</dd>"))
                #expect(text.contains("<dt>Function</dt><dd>culprit</dd>"))
            }
            let status = try await client.get(path, password: password).text
            #expect(status.contains("It stopped with: \(panic.prefix(40))"))
        }
    }

    @Test func kernelThatSaysNothingIsNamedByItsVersionAndFunction() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask([.started])
            _ = try await bench.store.apply(
                TaskEvent(
                    task: directory.task, stage: .retrace, kind: .succeeded, microseconds: 9, message: "Done.",
                    facts: ["kernel": "6.1.0-1-amd64", "crash_function": "culprit", "panic": ""]))
            try write(
                #"{"version":1,"kernel":{"panic":""},"threads":[],"modules":[]}"#.utf8, to: directory.backtraceJSON)
            let page = try await client.get("/\(directory.task)", password: password, accept: Self.browser).text
            #expect(page.contains("<h1>Kernel 6.1.0-1-amd64 in culprit</h1>"), "\(page)")
        }
    }

    @Test(arguments: ["", "{", "[]", "{\"threads\":[{\"frames\":7}]}", "{\"threads\":null}"])
    func pageStandsWhenTheDataDoesNot(json: String) async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask([.started, .succeeded])
            try write(json.utf8, to: directory.backtraceJSON)
            let page = try await client.get("/\(directory.task)", password: password, accept: Self.browser)
            #expect(page.status == .ok && page.text.contains("Raw text"))
        }
    }

    @Test func hostileStringsOfABacktraceAreShownAsText() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask([.started, .succeeded])
            let attack = "</script><script>alert(1)</script>\u{202e}'\""
            try write(hostileBacktrace(attack).utf8, to: directory.backtraceJSON)
            try mkdirOrFail(directory.results.string)
            try write(attack.utf8, to: directory.results.appending("exploitable"))
            let page = try await client.get("/\(directory.task)", password: password, accept: Self.browser).text
            #expect(page.contains("&lt;script&gt;alert(1)"))
            #expect(!page.contains("<script>") && !page.contains("\u{202e}"))
        }
    }

    @Test func statisticsAreAPageAndData() async throws {
        try await GatewayBench.run(limits: GatewayLimits(maxParallelTasks: 0)) { bench, client in
            let (directory, _) = try await bench.makeTask()
            let release = try ReleaseID("debian-12-x86_64")
            let facts = [
                "package": "bash-5.2.15-2.amd64", TaskFact.packages: "bash 5.2.15-2\nlibc6 2.36-9",
                TaskFact.missingBuildIDs: "abcd <libx.so>\n- liby.so",
            ]
            for (stage, kind, facts) in [
                (Stage.resolve, TaskEvent.Kind.succeeded, facts), (.retrace, .started, [:]),
                (.retrace, .succeeded, [:]),
            ] {
                _ = try await bench.store.apply(
                    TaskEvent(
                        task: directory.task, releaseID: release, stage: stage, kind: kind,
                        microseconds: bench.dependencies.now(), message: "x", facts: facts))
            }
            #expect(try await client.upload().status == .serviceUnavailable)
            let page = try await client.get("/stats", accept: Self.browser)
            #expect(page.isWellFormed("text/html"))
            for part in ["<th scope=\"row\" class=\"break\">bash</th>", "debian-12", "&lt;libx.so&gt;", "liby.so"] {
                #expect(page.text.contains(part), "\(part)")
            }
            for (path, accept) in [("/stats.json", nil), ("/stats", "application/json")] as [(String, String?)] {
                let data = try await client.get(path, accept: accept)
                #expect(data.isWellFormed("application/json"))
                for part in [
                    "\"all\" : 1", "\"denied\" : 1", "\"name\" : \"libc6\"", "\"versions\" : 1",
                    "\"days\" : [\n    {\n      \"day\" : \"20",
                ] {
                    #expect(data.text.contains(part), "\(part)")
                }
            }
            try await bench.store.remove(directory.task)
            #expect(try await client.get("/stats.json").text.contains("\"success\" : 1"))
        }
    }

    @Test func emptyStatisticsAreAPageToo() async throws {
        try await GatewayBench.run { _, client in
            let page = try await client.get("/stats", accept: Self.browser)
            #expect(page.status == .ok && page.text.contains("No task has ended yet."))
        }
    }
}

/// A `backtrace.json` that has a hostile string in every place where a string can be.
func hostileBacktrace(_ attack: String) -> String {
    let text = attack.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    return """
        {"version":1,"executable":"\(text)","crash_function":"\(text)","signal":{"number":11,"name":"\(text)"},
        "debugger":"\(text)","remarks":["\(text)"],"threads":[{"number":1,"name":"\(text)","crashed":true,
        "end_reason":"\(text)","frames":[{"level":0,"address":"\(text)","function":"\(text)","file":"\(text)","line":1,
        "module":"\(text)","package":"\(text)","inlined":false,"arguments":[{"name":"\(text)","value":"\(text)"}],
        "locals":[{"name":"\(text)","value":"\(text)"}],"source":{"first_line":1,"lines":["\(text)"]}}]},
        {"number":2,"name":"\(text)","crashed":false,"frames":[]}],
        "modules":[{"path":"\(text)","build_id":"\(text)","status":"unknown","package":"\(text)","reason":"\(text)"}]}
        """
}

private func mkdirOrFail(_ path: String) throws {
    try #require(mkdir(path, 0o700) == 0)
}
