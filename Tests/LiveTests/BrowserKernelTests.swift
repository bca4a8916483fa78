import SystemPackage
import TestFixtures
import Testing

extension LiveTests.BrowserTests {
    /// A file that a person chooses in the form, and what the page must take it for.
    private static let files: [(name: String, content: [UInt8], taken: String)] = {
        var process = ELFBuilder()
        process.notes = [process.threadNote(id: 7), process.processNote(id: 7, name: "demo", commandLine: "demo")]
        process.segments = [.init(at: 0x1000, content: [1])]
        var kernel = ELFBuilder()
        kernel.notes = [kernel.threadNote(id: 1), .init("VMCOREINFO", 0, Array("OSRELEASE=6.1.0\n".utf8))]
        var small = ELFBuilder(wide: false, bigEndian: true, machine: 21)
        small.notes = [small.threadNote(id: 1)]
        small.segments = [.init(at: 0xc000_0000, content: [1], physicalAddress: 0x1000)]
        var tar = TarBuilder()
        tar.add("vmcore", content: [1])
        var problem = TarBuilder()
        problem.add("coredump", content: [1])
        func padded(_ start: [UInt8]) -> [UInt8] { start + [UInt8](repeating: 0, count: 600) }
        let snapshots: [[UInt8]] = [
            [0xd0, 0xbe, 0xd0, 0xbe], [0xd0, 0xbe, 0xd2, 0xbe], [0xd2, 0xbe, 0xd2, 0xbe], [0xd3, 0xbe, 0xd3, 0xbe],
            [0xd1, 0xba, 0xd1, 0xba], [0xd2, 0xba, 0xd2, 0xba],
        ]
        return [
            ("kdump", padded(Array("KDUMP   ".utf8)), "kernel"), ("diskdump", Array("DISKDUMP".utf8), "kernel"),
            ("flat", padded(Array("makedumpfile\0\0\0\0".utf8)), "kernel"), ("elf", kernel.build(), "kernel"),
            ("elf-without-notes", small.build(), "kernel"), ("core", process.build(), "core"),
            ("program", ELFBuilder(type: 2).build(), "nothing"), ("cut", Array(kernel.build().prefix(40)), "nothing"),
            ("text", Array("a letter".utf8), "nothing"), ("empty", [], "nothing"),
            ("packed.tar", tar.archive, "archive of a kernel"), ("problem.tar", problem.archive, "archive"),
            ("packed.xz", padded([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]), "archive"),
        ] + snapshots.enumerated().map { ("vmware\($0)", padded($1), "kernel") }
    }()

    @Test func formTellsKernelsFromProgramsByTheFileItself() async throws {
        let stack = try runningStack()
        #expect(Browser.missing == [], "install what is missing")
        let folder = stack.directory.appending("chosen")
        try DebianArchive.makeDirectories(folder)
        for file in Self.files { try FolderContents.write(file.content, to: folder.appending(file.name)) }
        let taken = """
            (() => {
              const isShown = (id) => !document.getElementById(id).hidden, said = document.getElementById('said');
              const kernel = document.querySelector('[name=kernel]:checked').value === 'yes';
              if (said.textContent.includes('neither')) return 'nothing';
              if (isShown('crashed')) return kernel ? 'archive of a kernel' : 'archive';
              return isShown('about') ? 'core' : said.textContent.includes('dump of a kernel') ? 'kernel' : '';
            })()
            """
        try await Browser.with(stack) { browser in
            for file in Self.files {
                try await browser.visit(url(stack, "/submit"))
                try await browser.type(folder.appending(file.name).string, into: "#file")
                try await stack.until("the page says what \(file.name) is", within: .seconds(20)) {
                    try await browser.value(taken) != ""
                }
                #expect(try await browser.value(taken) == file.taken, "\(file.name)")
            }
            #expect(try await browser.complaints() == [])
        }
    }

    @Test func dumpOfAKernelIsSentByTheFormAsItIs() async throws {
        let stack = try runningStack()
        #expect(Browser.missing == [], "install what is missing")
        let kernel = try await stack.kernels.prepare(stack)
        try await Browser.with(stack) { browser in
            try await browser.visit(url(stack, "/submit"))
            try await browser.type(kernel.dump("zlib").string, into: "#file")
            // The server's limit for kernels is looked at before anything is sent.
            _ = try await browser.value("document.getElementById('submit').dataset.largestKernel = 1000")
            try await browser.click("#send")
            try await stack.until("the page refuses it", within: .seconds(20)) {
                try await browser.text(of: "#said").contains("more than the server takes")
            }
            _ = try await browser.value("document.getElementById('submit').dataset.largestKernel = 1e12")
            _ = try await browser.value("document.getElementById('submit').dataset.largest = 1000")
            try await sendAndWatch(browser, stack)
            #expect(try await browser.text(of: "h1").contains("sysrq triggered crash"))
            #expect(try await browser.text(of: ".frames").contains("sysrq_handle_crash"))
            try await browser.photograph("kernel")
            #expect(try await browser.complaints() == [])
        }
    }

    /// A `tar.xz` does not show what is in it, so the person says it; who says it wrongly is told how to say it.
    @Test func archiveOfAKernelIsSentByTheFormWhenThePersonSaysSo() async throws {
        let stack = try runningStack()
        #expect(Browser.missing == [], "install what is missing")
        let kernel = try await stack.kernels.prepare(stack)
        let archive = stack.directory.appending("kernel.tar.gz")
        try FolderContents.write(
            try await stack.packed(["vmcore": try FolderContents.read(kernel.dump("zlib"))]), to: archive)
        try await Browser.with(stack) { browser in
            try await browser.visit(url(stack, "/submit"))
            try await browser.type(archive.string, into: "#file")
            try await stack.until("the page asks what crashed", within: .seconds(20)) {
                try await browser.value("!document.getElementById('crashed').hidden") == "true"
            }
            try await browser.photograph("submit-archive")
            try await browser.click("#send")
            try await stack.until("the server refuses a program's crash", within: .seconds(60)) {
                try await browser.text(of: "#said").contains("by the choice that the kernel crashed")
            }
            #expect(try await browser.complaints().allSatisfy { $0.contains("403") })
            try await browser.click("[name=kernel][value=yes]")
            try await sendAndWatch(browser, stack)
            #expect(try await browser.text(of: "h1").contains("sysrq triggered crash"))
            #expect(try await browser.complaints() == [])
        }
    }

    /// Sends what is chosen, and waits on the page of the task until that has ended.
    func sendAndWatch(_ browser: Browser, _ stack: Stack) async throws {
        try await browser.click("#send")
        try await stack.until("the server took it", within: .seconds(60)) {
            try await browser.value("!document.getElementById('done').hidden") == "true"
        }
        try await browser.follow("#open button")
        try await stack.until("the page shows the results") {
            // Between two pages there is none that a script could run in.
            (try? await browser.value("!!document.querySelector('h1 ~ .facts')")) == "true"
        }
    }
}
