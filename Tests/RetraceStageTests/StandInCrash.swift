import CrashModel
import Glibc
import RetraceStage
import Sandbox
import SystemPackage
import TestFixtures

/// A debugger root whose `crash` is a shell script of the test, so that a test says what crash prints.
///
/// The script reads crash's file of commands; the test's part of it is the body of a function `answer` that gets the
/// command's line as `$1`, and whose output goes where the command's would. Before it runs the part `start`.
struct StandInCrash {
    let root: DebuggerRoot

    static let isPossible = ["/usr/bin/gcc", "/usr/bin/bwrap", "/bin/dash"].allSatisfy { (path: String) in
        access(path, X_OK) == 0
    }

    init(in scratch: FilePath, start: String = "", answer: String) async throws {
        let directory = scratch.appending("stand-in")
        mkdir(directory.string, 0o755)
        try put(
            """
            #include <unistd.h>
            int main(int argc, char **argv) {
                char *args[64] = {"/.retrace/ld", "--library-path", "/.retrace", "/.retrace/sh", "/.retrace/script"};
                for (int i = 1; i < argc && i < 50; i++) args[i + 4] = argv[i];
                execv(args[0], args);
                return 99;
            }
            """, at: directory.appending("crash.c"))
        try put(
            """
            sleep() { /.retrace/ld --library-path /.retrace /.retrace/sleep "$@"; }
            cat() { /.retrace/ld --library-path /.retrace /.retrace/cat "$@"; }
            options="$*"
            case "$options" in *--log*) echo; echo "crash: VMCOREINFO: no log buffer data"; exit 1;; esac
            answer() {
            case "$1" in nothing) ;; \(answer)
            esac
            }
            \(start)
            while read -r line; do
                case "$line" in
                quit) exit 0;;
                *" > "*) answer "${line%% > *}" > "${line##* > }";;
                *) case "$options" in
                    *--minimal*) echo "crash: $line: command not available in minimal mode";;
                    *) echo "crash: command not found: $line";;
                    esac;;
                esac
            done < /.commands
            """, at: directory.appending("script"))
        let made = try await runTool(
            [
                "sh", "-c",
                """
                set -e; cd \(directory.string); umask 022
                gcc -o crash crash.c
                cp /bin/dash sh; cp /bin/sleep sleep; cp /bin/cat cat
                cp -L /lib64/ld-linux-x86-64.so.2 ld; cp -L /lib/x86_64-linux-gnu/libc.so.6 .
                """,
            ], environment: ["PATH": "/usr/bin:/bin"])
        guard made.succeeded else {
            throw SandboxError(.setupFailed, String(decoding: made.standardError, as: UTF8.self))
        }
        root = DebuggerRoot(
            directory: directory.string, executable: "/crash", loader: "/ld", libraryPath: [""], dataDirectory: nil,
            pythonHome: nil, package: nevra("crash"))
    }
}

/// What a real crash prints for a dump of nothing in particular.
let plainAnswers = #"""
    log) echo "[    1.0] BUG: something";;
    sys) echo "     PANIC: \"BUG: something\"";;
    "sys -t") echo "TAINTED_MASK: 1200  WO";;
    "bt -s"*) echo "PID: 7        TASK: ffff888000000001  CPU: 1    COMMAND: \"worker\""
        echo " #0 [ffffc90000000000] machine_kexec+0x10 at ffffffff81000010"
        echo " #1 [ffffc90000000008] asm_exc_page_fault+0x1e at ffffffff81000020"
        echo "    [exception RIP: culprit+16]"
        echo "    RIP: ffffffffc0001010  RSP: ffffc90000000010  RFLAGS: 00010246"
        echo "    drivers/misc/culprit.c: 42"
        echo " #2 [ffffc90000000018] caller+0x20 at ffffffff81000030";;
    "bt -a"*) echo "PID: 0        TASK: ffff888000000002  CPU: 0    COMMAND: \"swapper/0\""
        echo " #0 [ffffc90000000100] idle+0x10 at ffffffff81000040";;
    mod) echo "ffffffffc0002000  culprit_mod  ffffffffc0000000  16384  (not loaded)  [CONFIG_KALLSYMS]";;
    ps) echo "PS";;
    mount) echo "MOUNT";;
    files) echo "FILES";;
    *) echo "answer to $1";;
    """#
