import CrashModel
import Sandbox
import SystemPackage
import TestFixtures
import Testing

extension LiveTests {
    @Suite("Crashes of a distribution of RPMs")
    struct RPMJourneyTests {
        private func prepared(_ stack: Stack) async throws -> MadeRPMRelease {
            let plum = stack.plum
            try await plum.prepare()
            let end = try await stack.synchronised(plum.release)
            try #require(end.kind == .succeeded, "\(end)")
            return plum
        }

        @Test(arguments: [
            ("crashdemo", "2.4.1", "7.plum"), ("crashdemo", "2.4.3", "1.plum"),
            ("crashdemo-threads", "2.4.1", "7.plum"), ("crashdemo-threads", "2.4.3", "1.plum"),
            ("crashdemo-basket", "2.4.1", "7.plum"), ("crashdemo-basket", "2.4.3", "1.plum"),
        ])
        func framesAreThoseOfBareGdbOnTheMachineWhereItCrashed(
            _ program: String, _ version: String, _ release: String
        ) async throws {
            let stack = try runningStack()
            let plum = try await prepared(stack)
            let task = try await stack.submit(try plum.problem(program, version))
            let end = try await stack.end(of: task)
            try #require(end.status == "FINISHED_SUCCESS", "\(end.text)")
            let text = try await stack.get(task, "/backtrace").body
            let backtrace = try ReadBacktrace(try await stack.get(task, "/backtrace.json").body)
            let bare = ReadBacktrace.seen(in: try await plum.bareGdb(program, version))
            #expect(bare.count == (program == "crashdemo-threads" ? 3 : 1))
            #expect(bare.contains { $0.compactMap(\.place).count >= 4 }, "\(bare)")
            #expect(ReadBacktrace.seen(in: text) == bare)
            #expect(backtrace.seen == bare)

            let frames = backtrace.threads.first { $0.crashed }?.frames ?? []
            // A release with an epoch, of exactly the version that crashed.
            #expect(frames.first?.function == "look")
            #expect(frames.first?.package == "crashdemo-libs-1:\(version)-\(release).x86_64", "\(backtrace.modules)")
            // The source code is in a package of its own.
            let source = try #require(frames.first?.source)
            let line = try #require(frames.first?.line)
            #expect(source.lines[line - source.first_line].contains("return seen + crate->weight;"), "\(source)")
            #expect(source.lines.count <= 11 && text.contains("== SOURCE ==\nframe 0, look at "))
            #expect(text.contains("-> \(line)\t    return seen + crate->weight;"))
            // The type's definition stands in the file that the debug files share.
            let today = frames.flatMap(\.locals).first { $0.name == "today" }
            #expect(today?.value.contains("limes = 5") == true, "\(frames)")
            #expect(!text.contains("gnu_debugaltlink"))
            let own = backtrace.modules.first { $0.path == "/usr/bin/\(program)" }
            #expect(own?.status == "complete", "\(backtrace.modules)")
            #expect(stack.remains() == [])
        }

        /// As ABRT sends it from a container: the host's release is another one, that of the container counts.
        @Test func crashInAContainerIsReadWithThePackagesOfItsOwnRelease() async throws {
            let stack = try runningStack()
            let plum = try await prepared(stack)
            var files = try plum.problem("crashdemo", "2.4.3")
            let root = "/var/lib/containers/storage/overlay/plum/merged"
            files["rootdir"] = Array(root.utf8)
            files["executable"] = Array("\(root)/usr/bin/crashdemo".utf8)
            files["os_release_in_rootdir"] = files["os_release"]
            files["os_release"] = Array("Debian GNU/Linux 12 (bookworm)".utf8)
            let task = try await stack.submit(files)
            let end = try await stack.end(of: task)
            try #require(end.status == "FINISHED_SUCCESS", "\(end.text)")
            let backtrace = try ReadBacktrace(try await stack.get(task, "/backtrace.json").body)
            #expect(backtrace.seen == ReadBacktrace.seen(in: try await plum.bareGdb("crashdemo", "2.4.3")))
            #expect(backtrace.threads.first?.frames.first?.package == "crashdemo-libs-1:2.4.3-1.plum.x86_64")
            let own = backtrace.modules.first { $0.path == "/usr/bin/crashdemo" }
            #expect(own?.status == "complete", "\(backtrace.modules)")
        }

        /// A program of 32 bits on a release of 64: both have packages of the same name and version.
        @Test func crashOf32BitsOnAReleaseOf64IsReadWithItsOwnLibraries() async throws {
            let stack = try runningStack()
            let plum = stack.plum
            try await plum.addCrashOf32Bits()
            let end = try await stack.synchronised(plum.release)
            try #require(end.kind == .succeeded, "\(end)")
            let task = try await stack.submit(try plum.problem("littledemo", "i686", package: "littledemo-3.1-1.plum"))
            let answer = try await stack.end(of: task)
            try #require(answer.status == "FINISHED_SUCCESS", "\(answer.text)")
            let backtrace = try ReadBacktrace(try await stack.get(task, "/backtrace.json").body)
            let bare = try await plum.bareGdb("littledemo", "i686")
            #expect(backtrace.seen == ReadBacktrace.seen(in: bare), "\(bare)")
            let frames = backtrace.threads.first?.frames ?? []
            #expect(frames.first?.function == "little_fall" && frames.first?.line != nil)
            #expect(frames.first?.package == "littledemo-libs-3.1-1.plum.i686", "\(backtrace.modules)")
            let library = backtrace.modules.first { $0.path.hasSuffix("/libc.so.6") }
            #expect(library?.package == "glibc-2.36-1.plum.i686", "\(backtrace.modules)")
        }

        @Test(.enabled(if: FixtureFolder.path != nil))
        func crashOfAFedoraProgramHasItsLineFromUnsignedPackagesWithSharedDWARF() async throws {
            let stack = try runningStack()
            let plum = stack.plum
            let fixtures = try #require(FixtureFolder.path)
            try await plum.addHello(fixtures)
            let end = try await stack.synchronised(plum.mixedRelease)
            try #require(end.kind == .succeeded, "\(end)")
            #expect(end.message.contains("UNSIGNED"), "\(end.message)")
            let packed = fixtures.appending("rpm-cores/hello2-f30.core.xz")
            let core = try await runTool(["xz", "-dc", packed.string])
            let task = try await stack.submit([
                "coredump": core.standardOutput, "executable": Array("/usr/local/bin/hello".utf8),
                "package": Array("hello2-1.0-2".utf8), "os_release": Array("Plum Test Linux release 3 (Damson)".utf8),
            ])
            try #require(try await stack.end(of: task).status == "FINISHED_SUCCESS")
            let backtrace = try ReadBacktrace(try await stack.get(task, "/backtrace.json").body)
            let top = backtrace.threads.first?.frames.first
            #expect(top?.function == "main" && top?.file?.hasSuffix("hello.c") == true && top?.line == 3)
            #expect(top?.package == "hello2-1.0-2.x86_64")
            let own = backtrace.modules.first { $0.path == "/usr/local/bin/hello" }
            #expect(own?.status == "complete", "\(backtrace.modules)")
        }

        @Test func packagesOfALazyMirrorAreFetchedForTheFirstCrashThatNeedsThem() async throws {
            let stack = try runningStack()
            let plum = stack.plum
            try await plum.prepare()
            let end = try await stack.synchronised(plum.lazyRelease)
            try #require(end.kind == .succeeded, "\(end)")
            let pool = stack.directory.appending("repositories/\(plum.lazyRelease)/pool")
            let names = "find '\(pool)' -name '*.rpm' -printf '%f\\n' | sort"
            #expect(try await !MadeRelease.shell(names, in: stack.directory).contains("crashdemo"))

            let files = try plum.problem("crashdemo", "2.4.3", releaseText: MadeRPMRelease.lazyReleaseText)
            let before = await stack.events.entries.count
            let task = try await stack.submit(files)
            try #require(try await stack.end(of: task).status == "FINISHED_SUCCESS")
            let fetched = try await stack.event(.fetch, .succeeded, of: task.id, from: before)
            #expect(fetched.message.contains("fetched") && !fetched.message.contains("could not be had"), "\(fetched)")
            let backtrace = try ReadBacktrace(try await stack.get(task, "/backtrace.json").body)
            #expect(backtrace.seen == ReadBacktrace.seen(in: try await plum.bareGdb("crashdemo", "2.4.3")))
            #expect(backtrace.threads.first?.frames.first?.package == "crashdemo-libs-1:2.4.3-1.plum.x86_64")
            let after = try await MadeRelease.shell(names, in: stack.directory)
            #expect(after.contains("crashdemo-libs-2.4.3") && !after.contains("crashdemo-libs-2.4.1"), "\(after)")

            // The second crash finds them there.
            let mark = await stack.events.entries.count
            let again = try await stack.submit(files)
            try #require(try await stack.end(of: again).status == "FINISHED_SUCCESS")
            #expect(await !stack.events.entries.dropFirst(mark).contains { $0.stage == .fetch })
        }

        /// gdb runs with its own glibc, in a root that has musl and nothing of glibc.
        @Test func crashWithMuslIsReadByADebuggerThatNeedsGlibc() async throws {
            let stack = try runningStack()
            let plum = stack.plum
            try await plum.addCrashWithMusl()
            let end = try await stack.synchronised(plum.release)
            try #require(end.kind == .succeeded, "\(end)")
            let task = try await stack.submit(try plum.problem("musldemo", "musl", package: "musldemo-3.1-1.plum"))
            let answer = try await stack.end(of: task)
            try #require(answer.status == "FINISHED_SUCCESS", "\(answer.text)")
            let backtrace = try ReadBacktrace(try await stack.get(task, "/backtrace.json").body)
            let bare = try await plum.bareGdb("musldemo", "musl")
            #expect(backtrace.seen == ReadBacktrace.seen(in: bare), "\(bare)")
            let frames = backtrace.threads.first?.frames ?? []
            #expect(frames.first?.function == "little_fall" && frames.first?.line != nil)
            #expect(frames.first?.package == "musldemo-libs-3.1-1.plum.x86_64", "\(backtrace.modules)")
            let library = backtrace.modules.first { $0.path.contains("musl") && $0.path.hasSuffix(".so") }
            #expect(library?.package == "musl-1.2.3-1.plum.x86_64", "\(backtrace.modules)")
            #expect(!backtrace.modules.contains { $0.path.hasSuffix("/libc.so.6") })
        }

        /// The C and C++ libraries of the crash are other builds than the debugger's, of the same versions: gdb runs with its
        /// own, the core is read with those of the crash. Debian has no glibc of another version.
        @Test(
            .enabled("apt cannot fetch another build of the C library") {
                let uris = try? await MadeRelease.shell(
                    "apt-get -q download --print-uris libc6-amd64-cross libstdc++6-amd64-cross", in: "/tmp")
                return await aptAnswers() && uris != nil
            })
        func crashWithAnotherLibraryThanTheDebuggersIsReadWithItsOwn() async throws {
            let stack = try runningStack()
            let plum = try await prepared(stack)
            try await plum.addCrashWithOtherLibrary()
            let end = try await stack.synchronised(plum.release)
            try #require(end.kind == .succeeded, "\(end)")
            var files = try plum.problem("crashdemo", "other-libc")
            files["package"] = Array("crashdemo-1:2.4.3-1.plum".utf8)
            let task = try await stack.submit(files)
            try #require(try await stack.end(of: task).status == "FINISHED_SUCCESS")
            let backtrace = try ReadBacktrace(try await stack.get(task, "/backtrace.json").body)
            let own = backtrace.modules.first { $0.path.hasSuffix("/libc.so.6") }
            #expect(own?.package == "glibc-2.36-0.plum.x86_64", "\(backtrace.modules)")
            #expect(backtrace.seen == ReadBacktrace.seen(in: try await plum.bareGdb("crashdemo", "other-libc")))
            #expect(backtrace.threads.first?.frames.first?.function == "look")

            files = try plum.problem("crashdemo-basket", "other-libc")
            files["package"] = Array("crashdemo-1:2.4.3-1.plum".utf8)
            let basket = try await stack.submit(files)
            try #require(try await stack.end(of: basket).status == "FINISHED_SUCCESS")
            let cxx = try ReadBacktrace(try await stack.get(basket, "/backtrace.json").body)
            #expect(cxx.seen == ReadBacktrace.seen(in: try await plum.bareGdb("crashdemo-basket", "other-libc")))
            let library = cxx.modules.first { $0.path.contains("/libstdc++.so.6") }
            #expect(library?.package == "libstdc++-12.2-0.plum.x86_64", "\(cxx.modules)")

            // The debugger's own root has the other builds.
            for (name, place) in [
                ("libc.so.6", "tree/lib/x86_64-linux-gnu/libc.so.6"),
                ("libstdc++.so.6", "cxx/usr/lib/x86_64-linux-gnu/libstdc++.so.6"),
            ] {
                let ids = try await MadeRelease.shell(
                    """
                    find store/debuggers -name '\(name)' | while read -r file; do eu-readelf -n "$file"; done |
                        sed -n 's/.*Build ID: //p' | sort -u
                    """, in: stack.directory)
                let crashed = try await MadeRelease.shell(
                    "eu-readelf -n rpm/other/\(place) | sed -n 's/.*Build ID: //p'", in: stack.directory)
                #expect(!ids.isEmpty && !crashed.isEmpty && !ids.contains(crashed), "\(name)")
            }
        }
    }
}
