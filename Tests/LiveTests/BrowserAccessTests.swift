import CrashModel
import Glibc
import NIOHTTP1
import Sandbox
import SystemPackage
import TestFixtures
import Testing

/// People without a mouse, without scripts, or with a slow line.
extension LiveTests.BrowserTests {
    @Test func journeyNeedsNothingButTabAndEnter() async throws {
        let stack = try runningStack()
        #expect(Browser.missing == [], "install what is missing")
        let archive = stack.directory.appending("keyboard.tar.gz")
        try FolderContents.write(try await stack.packed(try stack.crashFiles("threads")), to: archive)
        try await Browser.with(stack) { browser in
            try await browser.visit(url(stack, "/"))
            try await browser.press(.tab)
            #expect(try await browser.value("document.activeElement.className") == "skip")
            try await browser.press(.enter)
            #expect(try await browser.value("location.hash") == "#main")
            try await browser.enter("main a[href='/submit']")
            try await browser.tab(to: "#file")
            // The window in which a file is chosen is the browser's own, and no driver reaches it.
            try await browser.type(archive.string, into: "#file")
            try await stack.until("the page asks what crashed", within: .seconds(20)) {
                try await browser.value("!document.getElementById('crashed').hidden") == "true"
            }
            try await browser.tab(to: "#send")
            try await browser.press(.enter)
            try await stack.until("the server took it, and says so where the focus is", within: .seconds(60)) {
                try await browser.value("document.activeElement.id") == "done-title"
            }
            let (id, password) = (try await browser.text(of: "#task-id"), try await browser.text(of: "#task-password"))
            try await browser.enter("#open button")
            try await stack.until("the page shows the backtrace") {
                (try? await browser.text(of: "h1")) == "SIGSEGV in look"
            }
            try await browser.tab(to: "details summary")
            #expect(try await browser.value("document.activeElement.parentNode.open") == "false")
            try await browser.press(.enter)
            #expect(try await browser.value("document.activeElement.parentNode.open") == "true")
            try await browser.enter("form[action$=close] button")
            try await waitForThePasswordsField(browser, stack)
            try await browser.visit(url(stack, "/"))
            try await browser.tab(to: "#task")
            try await browser.write(id)
            try await browser.arrive(by: "Enter behind the id") { try await browser.press(.enter) }
            try await waitForThePasswordsField(browser, stack)
            try await browser.write(password)
            #expect(try await browser.value("document.activeElement.value") == password)
            try await browser.arrive(by: "Enter behind the password") { try await browser.press(.enter) }
            #expect(try await browser.text(of: "h1") == "SIGSEGV in look")
            try await browser.enter("form[action$=delete] button")
            #expect(try await browser.text(of: "h1").contains("is deleted"))
            try await browser.enter("main a[href='/']")
            #expect(try await browser.text(of: "h1") == "A coredump in, a backtrace out")
        }
    }

    /// A browser moves the focus to where it should begin only when it has drawn the page.
    private func waitForThePasswordsField(_ browser: Browser, _ stack: Stack) async throws {
        try await stack.until("the focus is where the password goes", within: .seconds(20)) {
            try await browser.value("document.activeElement.id") == "password"
        }
    }

    @Test func journeyNeedsNoScript() async throws {
        let stack = try runningStack()
        #expect(Browser.missing == [], "install what is missing")
        let retracer = try stack.service("retracer")
        let folder = stack.directory.appending("by-hand")
        try DebianArchive.makeDirectories(folder)
        for (name, content) in try stack.crashFiles("plain") {
            try FolderContents.write(content, to: folder.appending(name))
        }
        try await signal(retracer, SIGSTOP)
        do {
            try await Browser.with(stack) { browser in
                try await browser.devtools("Emulation.setScriptExecutionDisabled", ["value": true])
                try await browser.visit(url(stack, "/submit"))
                #expect(try await browser.value("document.getElementById('submit').hidden") == "true")
                #expect(try await browser.text(of: "noscript p").contains("needs JavaScript"))
                try await browser.photograph("submit-without-script", [.light, .phone])
                let command = try await browser.value(
                    "[...document.querySelectorAll('pre')].map(e => e.innerText).find(t => t.startsWith('tar '))")
                let task = try await created(by: command, in: folder)
                try await browser.visit(url(stack, "/open?task=\(task.id)"))
                #expect(try await browser.value("location.pathname") == "/\(task.id)")
                try await browser.type("wrong", into: "#password")
                try await browser.follow("form button")
                #expect(try await browser.text(of: "[role=alert]").contains("no task with this id and password"))
                try await browser.type(task.password, into: "#password")
                try await browser.follow("form button")
                #expect(try await browser.text(of: "#live + noscript p").contains("loads itself anew"))
                try await stack.until("the page shows that the root is built", within: .seconds(60)) {
                    (try? await browser.value("!!document.querySelector('[data-stage=build].done')")) == "true"
                }
                try await signal(retracer, SIGCONT)
                try await stack.until("the page shows the backtrace", within: .seconds(60)) {
                    (try? await browser.text(of: "h1")) == "SIGSEGV in look"
                }
                try await browser.click(".frame details summary")
                #expect(try await browser.value("document.querySelector('.frame details').open") == "true")
                try await browser.follow("form[action$=delete] button")
                #expect(try await browser.text(of: "h1") == "Task \(task.id) is deleted")
                let gone = try await stack.get(task)
                #expect(gone.status == 404)
            }
        } catch {
            try await signal(retracer, SIGCONT)
            throw error
        }
    }

    @Test func commandForTheDumpOfAKernelWorksAsItStandsOnThePage() async throws {
        let stack = try runningStack()
        let page = try await stack.request(.GET, "/submit", ["Accept": "text/html"]).body
        let start = try #require(page.firstRange(of: "curl -sD - -X POST"))
        let command = String(page[start.lowerBound...].prefix { $0 != "<" })
        let folder = stack.directory.appending("kernel-by-hand")
        try DebianArchive.makeDirectories(folder)
        var kernel = ELFBuilder()
        kernel.notes = [.init("VMCOREINFO", 0, Array("OSRELEASE=6.1.0-1-amd64\nPAGESIZE=4096\n".utf8))]
        kernel.segments = [
            .init(
                at: 0xffff_8880_0000_1000, flags: 7, content: [UInt8](repeating: 7, count: 8192),
                physicalAddress: 0x1000)
        ]
        try FolderContents.write(kernel.build(), to: folder.appending("vmcore"))
        let task = try await created(by: command, in: folder)
        #expect(try await stack.get(task).status == 200)
    }

    /// Runs a command as a person does who copied it, and reads the headers that it prints.
    private func created(by command: String, in folder: FilePath) async throws -> SubmittedTask {
        let result = try await runTool(
            ["bash", "-c", command], environment: ["PATH": "/usr/bin:/bin"], workingDirectory: folder,
            limits: SandboxLimits(wallTime: .seconds(60), fileBytes: 1 << 30))
        let output = String(decoding: result.standardOutput, as: UTF8.self)
        func header(_ name: String) -> String? {
            output.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name + ": ") }.map {
                String($0.dropFirst(name.count + 2))
            }
        }
        guard let id = header("x-task-id"), let password = header("x-task-password") else {
            let errors = String(decoding: result.standardError, as: UTF8.self)
            throw Stack.Failure(description: "'\(command)' \(result.termination): \(output) \(errors)")
        }
        return SubmittedTask(id: try TaskID(id), password: password)
    }

    @Test func uploadShowsHowMuchHasGone() async throws {
        let stack = try runningStack()
        #expect(Browser.missing == [], "install what is missing")
        let archive = stack.directory.appending("slow.tar.gz")
        try FolderContents.write(
            try await stack.packed(try stack.crashFiles("plain", padding: 2 << 20)), to: archive)
        try await Browser.with(stack) { browser in
            try await browser.visit(url(stack, "/submit"))
            try await browser.devtools("Network.enable", [String: String]())
            try await browser.devtools(
                "Network.emulateNetworkConditions",
                ["offline": false, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 1 << 20])
            try await browser.type(archive.string, into: "#file")
            _ = try await browser.value(
                """
                (() => {
                  window.seen = [];
                  const bar = document.getElementById('progress'), said = document.getElementById('said');
                  const look = () => window.seen.push([bar.hidden, bar.value, bar.max, said.textContent].join('|'));
                  new MutationObserver(look).observe(said, { childList: true });
                })()
                """)
            try await browser.click("#send")
            try await stack.until("the server took it", within: .seconds(60)) {
                try await browser.value("!document.getElementById('done').hidden") == "true"
            }
            let seen = try await browser.value("window.seen.join('\\n')").split(separator: "\n").map {
                $0.split(separator: "|").map(String.init)
            }
            let sizes = seen.filter { $0.count == 4 && $0[3].hasPrefix("Sent ") && $0[3].contains(" of ") }
            #expect(sizes.allSatisfy { $0[0] == "false" }, "the bar is hidden: \(seen)")
            let values = sizes.compactMap { Int($0[1]) }
            let whole = try #require(sizes.first.flatMap { Int($0[2]) }, "\(seen)")
            #expect(whole > 2 << 20 && values.contains { (1..<whole).contains($0) }, "\(seen)")
            #expect(values == values.sorted())
            #expect(seen.contains { $0.last?.hasPrefix("Sent; the server looks at it") == true }, "\(seen)")
        }
    }
}
