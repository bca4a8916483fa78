import CrashModel
import Glibc
import Sandbox
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@testable import RetraceStage

/// Two threads; the crashed one recursed, with an inlined call at the top.
private let program = """
    #define _GNU_SOURCE
    #include <pthread.h>
    #include <unistd.h>
    struct point { int x, y; const char *name; };
    static inline __attribute__((always_inline)) int fetch(volatile int *where) { int seen = 41; return *where + seen; }
    static int descend(struct point *p, int n) {
        int twice = n * 2;
        if (n == 0) return fetch((int *)0);
        return descend(p, n - 1) + twice;
    }
    static void *waiter(void *gate) { pthread_mutex_lock(gate); return 0; }
    int main(void) {
        static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
        struct point here = { 3, 4, "here" };
        pthread_t other;
        pthread_mutex_lock(&gate);
        pthread_create(&other, 0, waiter, &gate);
        pthread_setname_np(other, "waiter");
        usleep(50000);
        return descend(&here, 3);
    }
    """

@Suite("A real crash under the host's gdb", .enabled(if: CrashedProgram.possible))
struct RealCrashTests {
    @Test func framesAreThoseOfBareGdbAndTextAndDataAgree() async throws {
        let crashed = try await CrashedProgram(program)
        defer { crashed.remove() }
        let answer = try await crashed.retraced()
        let bare = try await runTool([
            "gdb", "-nx", "-batch", "-iex", "set sysroot \(crashed.root)", "-iex", "set width 0", "-iex",
            "set debug-file-directory /nowhere", "-ex",
            "thread apply all backtrace", crashed.root.appending("usr/bin/crashdemo").string, crashed.core.string,
        ])
        let expected = comparable(String(decoding: bare.standardOutput, as: UTF8.self))
        #expect(expected.count == 2 && expected.contains { $0.count == 6 }, "\(expected)")
        #expect(comparable(answer.text) == expected)
        let decoded = try DecodedBacktrace(answer.json)
        #expect(decoded.comparable == expected)
        #expect(decoded.version == 1 && decoded.threads.first?.crashed == true)
        #expect(answer.summary.frames == expected.joined().count && answer.summary.threads == 2)
        #expect(answer.summary.quality == .full && answer.summary.crashFunction == "fetch")
        #expect(answer.summary.remarks.isEmpty, "\(answer.summary.remarks)")
    }

    @Test func frameTellsVariablesModuleAndInlining() async throws {
        let crashed = try await CrashedProgram(program)
        defer { crashed.remove() }
        let decoded = try DecodedBacktrace(try await crashed.retraced().json)
        let frames = decoded.threads.first?.frames ?? []
        #expect(frames.first?.function == "fetch" && frames.first?.inlined == true)
        #expect(frames.first?.locals == [DecodedBacktrace.Variable(name: "seen", value: "41")])
        #expect(frames.dropFirst().first?.inlined == false)
        #expect(frames.dropFirst(2).first?.locals == [DecodedBacktrace.Variable(name: "twice", value: "2")])
        #expect(frames.dropFirst(2).first?.arguments.last == DecodedBacktrace.Variable(name: "n", value: "1"))
        #expect(frames.last?.locals.contains { $0.name == "here" && $0.value.contains("x = 3") } == true)
        #expect(frames.allSatisfy { $0.module == "/usr/bin/crashdemo" && $0.package == "crashdemo-1.0-1.amd64" })
        #expect(decoded.modules.contains { $0.path.contains("libc.so") && $0.reason?.contains("No package") == true })
    }

    /// Every stack once ended with the word of an exception, because this gdb lacks a name that its manual has.
    @Test func aStackThatEndsWhereItBeganHasNoReasonForIt() async throws {
        let crashed = try await CrashedProgram(program)
        defer { crashed.remove() }
        let threads = try DecodedBacktrace(try await crashed.retraced().json).threads
        #expect(threads.count == 2 && threads.allSatisfy { $0.endReason == nil }, "\(threads.map(\.endReason))")
    }

    @Test func dataKeepToTheirSchema() async throws {
        let crashed = try await CrashedProgram(program)
        defer { crashed.remove() }
        let json = try await crashed.retraced().json
        #expect(try JSONSchema(named: "Backtrace").violations(of: Array(json.utf8)) == [])
    }

    @Test func textHasTheSectionsThatClientsKnow() async throws {
        let crashed = try await CrashedProgram(program)
        defer { crashed.remove() }
        let answer = try await crashed.retraced()
        for part in ["Thread 1 (", "Thread 2 (", "From  ", "rip  ", "Dump of assembler", "MODULES WITHOUT SYMBOLS"] {
            #expect(answer.text.contains(part), "\(part)")
        }
        #expect(!answer.text.contains("PYTHON-START"), "a program that is not Python has no Python section")
        #expect(answer.text.contains("libc.so.6 (") && answer.text.contains("No package of debuginfo"))
        for part in ["module /usr/bin/crashdemo", "--core=/.coredump", "gdb exited with status"] {
            #expect(answer.log.contains(part), "\(part) in \(answer.log)")
        }
        // The uploader reads the log, and where the roots lie is not his business.
        #expect(!answer.log.contains(crashed.root.string))
    }

    @Test func librariesAreSymbolisedWhenTheProgramIsMissing() async throws {
        let crashed = try await CrashedProgram(
            "#include <stdlib.h>\nint main(void) { abort(); }", compiler: ["gcc", "-g", "-O0"])
        defer { crashed.remove() }
        unlink(crashed.root.appending("usr/bin/crashdemo").string)
        let answer = try await crashed.retraced()
        let names = try DecodedBacktrace(answer.json).threads.first?.frames.compactMap(\.function) ?? []
        #expect(names.contains("abort") && !names.contains("main"))
        #expect(answer.summary.quality == .namesOnly)
    }

    @Test func doingItAgainReplacesTheResultAndLeavesNothingElse() async throws {
        let crashed = try await CrashedProgram(program)
        defer { crashed.remove() }
        let directory = try crashed.task()
        let crash = try readCrash(crashed.core)
        var signatures: Set<String> = []
        for _ in 0..<2 {
            let summary = try await retrace(
                crash, resolution(of: crash), in: crashed.chroot(), directory: directory, limits: RetraceLimits())
            signatures.insert(summary.signature.hash)
        }
        #expect(signatures.count == 1)
        let listed = try await runTool(["ls", "-A", directory.path.string])
        #expect(
            String(decoding: listed.standardOutput, as: UTF8.self)
                == "backtrace\nbacktrace.json\ncrash\nresults\nretrace-log\n")
    }

    @Test func cPlusPlusNamesAreTheSameInTextAndData() async throws {
        let source = """
            #include <stdexcept>
            #include <string>
            #include <vector>
            namespace shop {
                template <typename T> struct Shelf {
                    std::vector<T> items;
                    T operator()(int index) const { return index < 0 ? throw std::out_of_range("no such item") : items[index]; }
                };
            }
            int main() {
                shop::Shelf<std::string> shelf;
                auto pick = [&](int index) { return shelf(index).size(); };
                return pick(-1);
            }
            """
        let crashed = try await CrashedProgram(source, compiler: ["g++", "-g", "-O0"], extension: "cc")
        defer { crashed.remove() }
        let answer = try await crashed.retraced()
        let decoded = try DecodedBacktrace(answer.json)
        #expect(decoded.comparable == comparable(answer.text))
        let names = decoded.threads.first?.frames.compactMap(\.function) ?? []
        #expect(
            names.contains(
                "shop::Shelf<std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> > >::operator()"
            ), "\(names)")
        #expect(answer.summary.crashFunction?.hasPrefix("shop::Shelf") == true)
        #expect(answer.summary.signature.functions.first?.hasPrefix("shop::Shelf") == true)
    }
}
