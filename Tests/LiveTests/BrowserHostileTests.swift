import CrashModel
import Glibc
import SystemPackage
import TestFixtures
import Testing

/// Whatever an upload says tries to become part of a page.
extension LiveTests.BrowserTests {
    private static let attack = "\"'><img src=x onerror=\"window.pwned=1\"><script>window.pwned=1</script>"

    /// What becomes of an attack in a text of an upload.
    private static let fields: [(name: String, value: String, answer: Int, end: String)] = [
        // Only compared and shown, as the core itself says what crashed.
        ("executable", "/usr/bin/" + attack, 201, "FINISHED_SUCCESS"),
        ("package", attack, 201, "FINISHED_SUCCESS"),
        ("rootdir", "/usr/bin/" + attack, 201, "FINISHED_SUCCESS"),
        ("os_release_in_rootdir", attack, 201, "FINISHED_SUCCESS"),
        ("release", attack, 201, "FINISHED_SUCCESS"),
        // The release is then the one that knows the program's build-id.
        ("os_release", attack, 201, "FINISHED_SUCCESS"),
        // Read by nobody.
        ("packages", attack, 201, "FINISHED_SUCCESS"),
        // The name of a file that does not belong to a crash.
        ("<img src=x onerror=alert(1)>", attack, 403, ""),
    ]

    @Test func noTextOfAnUploadRunsInAPage() async throws {
        let stack = try runningStack()
        #expect(Browser.missing == [], "install what is missing")
        var tasks: [SubmittedTask] = []
        for field in Self.fields {
            var files = try stack.crashFiles("plain")
            files[field.name] = Array(field.value.utf8)
            let answer = try await stack.create(try await stack.packed(files))
            #expect(answer.status == field.answer, "\(field.name): \(answer.body)")
            guard let task = try answer.task() else {
                #expect(
                    answer.header("content-type") == "text/plain"
                        && answer.header("x-content-type-options") == "nosniff")
                continue
            }
            #expect(try await stack.end(of: task).status == field.end, "\(field.name)")
            tasks.append(task)
        }
        try await Browser.with(stack) { [tasks] browser in
            for task in tasks { try await visitAll(of: task, browser, stack) }
            for path in ["/stats", "/"] {
                try await browser.visit(url(stack, path))
                try await harmless(browser)
            }
        }
    }

    @Test func noStringOfABacktraceRunsInAPage() async throws {
        let stack = try runningStack()
        #expect(Browser.missing == [], "install what is missing")
        let task = try await stack.submit(try stack.crashFiles("plain"))
        #expect(try await stack.end(of: task).status == "FINISHED_SUCCESS")
        let directory = stack.spool.appending(task.id.description)
        try FolderContents.write(hostileDocument(Self.attack).utf8, to: directory.appending("backtrace.json"))
        try DebianArchive.makeDirectories(directory.appending("results"))
        for name in ["exploitable", "ps"] {
            try FolderContents.write(Self.attack.utf8, to: directory.appending("results").appending(name))
        }
        try await Browser.with(stack) { browser in
            try await visitAll(of: task, browser, stack)
            #expect(try await browser.text(of: "h1").contains("window.pwned"))
            try await browser.photograph("hostile", [.light])
        }
    }

    /// A core whose files and process have hostile names, which are read by ingest, by gdb and by the resolver.
    @Test func noNameInACoreRunsInAPage() async throws {
        let stack = try runningStack()
        #expect(Browser.missing == [], "install what is missing")
        var core = ELFBuilder()
        let (program, library): (UInt64, UInt64) = (0x10_0000, 0x20_0000)
        core.notes = [
            core.threadNote(id: 4711, signal: 11),
            core.processNote(id: 4711, name: "<img/onerror=p>", commandLine: Self.attack),
            core.filesNote([
                (program, program + 0x1000, 0, Array(("/usr/bin/" + Self.attack).utf8)),
                (library, library + 0x1000, 0, Array(("/usr/lib/" + Self.attack + ".so").utf8)),
            ]),
        ]
        core.segments = [
            .init(at: program, flags: 5, content: core.firstPage(buildIDs: [[UInt8](1...20)], isProgram: true)),
            .init(at: library, flags: 5, content: core.firstPage(buildIDs: [[UInt8](2...21)], soname: Self.attack)),
            .init(at: 0x50_0000, flags: 6, content: [UInt8](repeating: 0, count: 64)),
        ]
        var files = try stack.crashFiles("plain")
        files["coredump"] = core.build()
        let task = try await stack.submit(files)
        #expect(try await stack.end(of: task).status == "FINISHED_SUCCESS")
        try await Browser.with(stack) { browser in
            try await visitAll(of: task, browser, stack)
            let page = try await browser.text(of: "main")
            for name in ["/usr/bin/" + Self.attack, "/usr/lib/" + Self.attack + ".so"] { #expect(page.contains(name)) }
            try await browser.photograph("hostile-core", [.light])
        }
    }

    /// Nobody knows the program's build-id, so the release that is named decides, and the reason quotes it.
    @Test func noReasonOfAFailureRunsInAPage() async throws {
        let stack = try runningStack()
        #expect(Browser.missing == [], "install what is missing")
        var core = ELFBuilder()
        core.notes = [
            core.threadNote(id: 4711, signal: 11), core.processNote(id: 4711, name: "demo", commandLine: "demo"),
            core.filesNote([(0x10_0000, 0x10_1000, 0, Array("/usr/bin/demo".utf8))]),
        ]
        core.segments = [.init(at: 0x10_0000, flags: 5, content: core.firstPage(buildIDs: [[UInt8](3...22)]))]
        let task = try await stack.submit([
            "coredump": core.build(), "executable": Array("/usr/bin/demo".utf8), "package": Array(Self.attack.utf8),
            "os_release": Array(Self.attack.utf8),
        ])
        #expect(try await stack.end(of: task).status == "FINISHED_FAILURE")
        try await Browser.with(stack) { browser in
            try await visitAll(of: task, browser, stack)
            #expect(try await browser.text(of: ".note.bad").contains("window.pwned"))
            try await browser.photograph("hostile-reason", [.light])
        }
    }

    /// The log of a real kernel says what a hostile one could: its panic is a piece of HTML, and so is a line before it.
    @Test(.enabled(if: MadeKernelDumps.areWanted, "RETRACE_TEST_NO_VMCORE=1"))
    func noWordOfAKernelRunsInAPage() async throws {
        let stack = try runningStack()
        #expect(Browser.missing == [], "install what is missing")
        let kernel = try await stack.kernels.prepare(stack)
        var dump = try FolderContents.read(kernel.dump("elf"))
        let panic = "<img src=x onerror=p>"
        #expect(replace("sysrq triggered crash", by: panic, in: &dump) > 0)
        #expect(replace("sysrq: Trigger a crash", by: "<script>p=1//</script>", in: &dump) > 0)
        let task = try await stack.submit(kernel: dump)
        #expect(try await stack.end(of: task).status == "FINISHED_SUCCESS")
        try await Browser.with(stack) { browser in
            let names = try await visitAll(of: task, browser, stack)
            #expect(Set(names).isSuperset(of: ["log", "bt", "ps", "sys"]), "\(names)")
            #expect(try await browser.text(of: "h1").contains(panic))
            try await browser.photograph("hostile-kernel", [.light])
            try await browser.visit(url(stack, "/\(task.id)/results/log"))
            #expect(try await browser.text(of: "pre").contains("<script>p=1//</script>"))
        }
    }

    /// Writes one text over another of the same length.
    ///
    /// - Returns: How often it stood there.
    private func replace(_ text: String, by other: String, in bytes: inout [UInt8]) -> Int {
        let (old, new) = (Array(text.utf8), Array(other.utf8))
        guard old.count == new.count else { return 0 }
        let places = bytes.withUnsafeBytes { all in
            guard let start = all.baseAddress else { return [Int]() }
            var places: [Int] = []
            var from = 0
            // A byte-by-byte comparison in Swift of 90 MB takes minutes without optimisation.
            while let found = memchr(start + from, Int32(old[0]), all.count - old.count - from) {
                from = UnsafeRawPointer(found) - start + 1
                if memcmp(found, old, old.count) == 0 { places.append(from - 1) }
            }
            return places
        }
        for place in places { bytes.replaceSubrange(place..<place + new.count, with: new) }
        return places.count
    }

    /// Opens the page of a task, and then whatever else of it a browser shows; ends on the page.
    ///
    /// - Returns: The names of its further results.
    @discardableResult
    private func visitAll(of task: SubmittedTask, _ browser: Browser, _ stack: Stack) async throws -> [String] {
        try await browser.visit(url(stack, "/\(task.id)"))
        try await browser.type(task.password, into: "#password")
        try await browser.follow("form button")
        #expect(try await browser.text(of: "h1") != "Task \(task.id)")
        try await harmless(browser)
        let names = try await stack.get(task, "/results").body.split(separator: "\n").map {
            String($0.prefix { $0 != "\t" })
        }
        for path in ["backtrace", "backtrace.json", "log", "exploitable", "results"] + names.map({ "results/" + $0 }) {
            try await browser.visit(url(stack, "/\(task.id)/\(path)"))
            try await harmless(browser)
        }
        try await browser.visit(url(stack, "/\(task.id)"))
        try await harmless(browser)
        return names
    }

    /// Nothing ran, nothing became an element, and the browser had nothing to complain of.
    private func harmless(_ browser: Browser) async throws {
        #expect(try await browser.value("window.pwned") == "undefined")
        #expect(
            try await browser.value(
                "document.querySelectorAll('img,iframe,[onerror],script:not([src^=\"/assets/\"])').length") == "0")
        // A failed task has no backtrace, for instance.
        let complaints = try await browser.complaints().filter { !$0.contains("with a status of 40") }
        #expect(complaints == [])
    }

    private func hostileDocument(_ attack: String) -> String {
        let text = attack.replacing("\"", with: "\\\"")
        return """
            {"version":1,"executable":"\(text)","crash_function":"\(text)","signal":{"number":11,"name":"\(text)"},
            "debugger":"\(text)","remarks":["\(text)"],"threads":[{"number":1,"name":"\(text)","crashed":true,
            "end_reason":"\(text)","frames":[{"level":0,"address":"\(text)","function":"\(text)","file":"\(text)",
            "line":1,"module":"\(text)","package":"\(text)","inlined":false,
            "arguments":[{"name":"\(text)","value":"\(text)"}],"locals":[{"name":"\(text)","value":"\(text)"}],
            "source":{"first_line":1,"lines":["\(text)"]}}]},{"number":2,"name":"\(text)","crashed":false,
            "frames":[]}],"modules":[{"path":"\(text)","build_id":"\(text)","status":"unknown",
            "package":"\(text)","reason":"\(text)"}]}
            """
    }
}
