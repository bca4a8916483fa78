import CrashModel
import Glibc
import NIOHTTP1
import SystemPackage
import TestFixtures
import Testing

extension LiveTests {
    @Suite("A person with a browser")
    struct BrowserTests {
        func url(_ stack: Stack, _ path: String) async -> String {
            "http://127.0.0.1:\(await stack.address.port)\(path)"
        }

        @Test func archiveIsSentWatchedAndReadByBrowser() async throws {
            let stack = try runningStack()
            #expect(Browser.missing == [], "install what is missing")
            let archive = stack.directory.appending("problem.tar.gz")
            try FolderContents.write(try await stack.packed(try stack.crashFiles("threads")), to: archive)
            try await Browser.with(stack) { browser in
                try await browser.visit(url(stack, "/"))
                #expect(try await browser.text(of: "h1") == "A coredump in, a backtrace out")
                try await browser.photograph("front")
                try await browser.visit(url(stack, "/submit"))
                try await browser.type(archive.string, into: "#file")
                try await browser.photograph("submit")
                try await browser.click("#send")
                try await stack.until("the server took it", within: .seconds(60)) {
                    try await browser.value("!document.getElementById('done').hidden") == "true"
                }
                let id = try await browser.text(of: "#task-id")
                let password = try await browser.text(of: "#task-password")
                try await browser.photograph("sent", [.light])
                try await browser.follow("#open button")
                try await stack.until("the page shows the backtrace") {
                    try await browser.text(of: "h1").hasPrefix("SIGSEGV")
                }
                #expect(try await browser.value("location.pathname + location.search") == "/\(id)")
                #expect(try await browser.value("document.cookie") == "")
                #expect(try await browser.text(of: "h1") == "SIGSEGV in look")
                #expect(try await browser.text(of: ".frame .call b") == "look")
                let program = try await browser.value(
                    "[...document.querySelectorAll('.frame.program .call b')].map(b => b.textContent).join()")
                #expect(program.contains("serve") && program.contains("main") && !program.contains("shelf_weigh"))
                #expect(try await browser.value("document.querySelectorAll('ol.frames').length > 1") == "true")
                try await browser.photograph("task")
                #expect(try await browser.complaints() == [])
                try await browser.visit(url(stack, "/\(id)/backtrace"))
                #expect(try await browser.text(of: "pre").contains("shelf_weigh"))
                try await browser.visit(url(stack, "/\(id)"))
                try await browser.follow("form[action$=close] button")
                try await stack.until("the password is forgotten") {
                    try await browser.value("!!document.getElementById('password')") == "true"
                }
                try await browser.type("wrong", into: "#password")
                try await browser.follow("form button")
                #expect(try await browser.text(of: "[role=alert]").contains("no task with this id and password"))
                try await browser.photograph("locked")
                try await browser.type(password, into: "#password")
                try await browser.follow("form button")
                #expect(try await browser.text(of: "h1") == "SIGSEGV in look")
                try await browser.follow("form[action$=delete] button")
                try await stack.until("the page says that the task is deleted") {
                    try await browser.value(
                        "!!document.querySelector('h1') && document.querySelector('h1').textContent.includes('is deleted')"
                    ) == "true"
                }
                #expect(try await stack.request(.GET, "/\(id)", ["X-Task-Password": password]).status == 404)
                try await browser.visit(url(stack, "/stats"))
                #expect(try await browser.text(of: "main").contains("Packages that crashed"))
                try await browser.photograph("stats")
                let refused = try await browser.complaints().filter { !$0.contains("403") }
                #expect(refused == [])
            }
        }

        /// Two services stand still while the page is looked at, so that each stage can be seen.
        @Test func pageShowsTheStagesAsTheyHappenWithoutLoadingAnew() async throws {
            let stack = try runningStack()
            #expect(Browser.missing == [], "install what is missing")
            let (resolver, retracer) = (try stack.service("resolver"), try stack.service("retracer"))
            try await signal(resolver, SIGSTOP)
            try await signal(retracer, SIGSTOP)
            do {
                let task = try await stack.submit(try stack.crashFiles("plain"))
                try await Browser.with(stack) { browser in
                    try await browser.visit(url(stack, "/\(task.id)"))
                    try await browser.type(task.password, into: "#password")
                    try await browser.follow("form button")
                    try await stack.until("the page shows that ingest is done", within: .seconds(60)) {
                        try await browser.value("!!document.querySelector('[data-stage=ingest].done')") == "true"
                    }
                    _ = try await browser.value("window.mark = 'the same page'")
                    try await signal(resolver, SIGCONT)
                    try await stack.until("the page shows that the root is built", within: .seconds(60)) {
                        try await browser.value("!!document.querySelector('[data-stage=build].done')") == "true"
                    }
                    #expect(try await browser.value("window.mark") == "the same page")
                    #expect(try await browser.text(of: "#live").contains("Waiting for the next stage"))
                    try await browser.photograph("pending")
                    try await signal(retracer, SIGCONT)
                    try await stack.until("the page shows the backtrace") {
                        try await browser.text(of: "h1") == "SIGSEGV in look"
                    }
                    #expect(try await browser.complaints().filter { !$0.contains("403") } == [])
                }
            } catch {
                try await signal(resolver, SIGCONT)
                try await signal(retracer, SIGCONT)
                throw error
            }
        }

        func signal(_ service: ServiceProcess, _ number: Int32) async throws {
            let pid = try #require(await service.pid)
            kill(pid, number)
        }

        @Test func bareCoreIsPackedByTheBrowser() async throws {
            let stack = try runningStack()
            #expect(Browser.missing == [], "install what is missing")
            let core = stack.directory.appending("core.4711")
            try FolderContents.write(try FolderContents.read(stack.made.core("plain")), to: core)
            try await Browser.with(stack) { browser in
                try await browser.visit(url(stack, "/submit"))
                try await browser.type(core.string, into: "#file")
                try await stack.until("the page asks about the core", within: .seconds(20)) {
                    try await browser.value("!document.getElementById('about').hidden") == "true"
                }
                try await browser.click("#send")
                try await stack.until("the page wants the fields", within: .seconds(20)) {
                    try await browser.text(of: "#said").contains("three fields")
                }
                try await browser.type("/usr/bin/crashdemo", into: "#executable")
                try await browser.type(MadeRelease.package, into: "#package")
                try await browser.type(MadeRelease.releaseText, into: "#release")
                try await browser.photograph("submit-core")
                try await browser.click("#send")
                try await stack.until("the server took it", within: .seconds(60)) {
                    try await browser.value("!document.getElementById('done').hidden") == "true"
                }
                try await browser.follow("#open button")
                try await stack.until("the page shows the backtrace") {
                    try await browser.text(of: "h1") == "SIGSEGV in look"
                }
                #expect(try await browser.complaints() == [])
            }
        }
    }
}
