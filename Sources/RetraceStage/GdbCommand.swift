import CrashModel
import Sandbox
import SystemPackage

/// Where things lie in the debugger's sandbox. None of these names is in a package.
enum SandboxPath {
    /// The debugger root.
    static let debugger = "/.retrace"
    static let coredump = "/.coredump"
    /// The file that the script of frames writes.
    static let frames = "/.frames"
}

/// What separates the parts of gdb's output, each on a line of its own; ABRT's tools know the first two.
enum SectionLabel {
    static let pythonStart = "----------PYTHON-START--------"
    static let pythonEnd = "----------PYTHON--END---------"
}

/// gdb in the crash root, started by the debugger root's own loader, with the report of the retracer.
///
/// - Parameters:
///   - frames: The file of the host to which the script writes.
///   - script: The source of the script of frames.
func gdbCommand(
    for crash: Crash, _ resolution: Resolution, in chroot: Chroot, _ debugger: DebuggerRoot, coredump: FilePath,
    frames: FilePath,
    script: [UInt8], user: SandboxUser
) -> SandboxedCommand {
    var command = gdbCommand(
        for: crash, resolution, in: chroot, debugger, coredump: coredump, options: ["-batch"],
        settings: unattendedSettings, user: user)
    command.arguments += ["-ex", pythonCommand(running: script, aborted: crash.signal?.number == 6)]
    for line in gdbReport { command.arguments += ["-ex", line] }
    command.binds.append(SandboxBind(frames, at: SandboxPath.frames, writable: true))
    return command
}

/// gdb in the crash root with the program and its core, and nothing that it is to do with them.
///
/// - Parameters:
///   - options: Further options of gdb.
///   - settings: Further settings, beside those that keep files of the crash from being run.
func gdbCommand(
    for crash: Crash, _ resolution: Resolution, in chroot: Chroot, _ debugger: DebuggerRoot, coredump: FilePath,
    options: [String], settings: [String], user: SandboxUser
) -> SandboxedCommand {
    func inside(_ path: String) -> String { SandboxPath.debugger + path }
    var environment = ["LC_ALL": "C.UTF-8", "HOME": "/tmp", "TERM": "dumb", "PATH": "/usr/bin:/bin"]
    // Otherwise gdb's libc would load the crash root's converters of character sets, which are of another version.
    if let libraries = debugger.libraryPath.first { environment["GCONV_PATH"] = inside(libraries) + "/gconv" }
    if let home = debugger.pythonHome {
        environment["PYTHONHOME"] = inside(home)
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
    }
    var arguments =
        [
            inside(debugger.loader), "--library-path", debugger.libraryPath.map(inside).joined(separator: ":"),
            inside(debugger.executable), "-nx", "-nh",
        ] + options
    if let data = debugger.dataDirectory { arguments += ["--data-directory", inside(data)] }
    for setting in gdbSettings(for: crash.architecture) + settings { arguments += ["-iex", "set \(setting)"] }
    // Options instead of the commands `file` and `core-file`: those would read quotes and options in the name.
    let program = program(of: crash, resolution)
    if program.hasPrefix("/") { arguments += ["--se=\(program)"] }
    arguments.append("--core=\(SandboxPath.coredump)")
    // Without the program itself gdb finds the libraries in the core but does not read their symbols unasked.
    arguments += ["-ex", "sharedlibrary"]
    return SandboxedCommand(
        root: FilePath(chroot.crashRoot),
        binds: [
            SandboxBind(FilePath(debugger.directory), at: SandboxPath.debugger),
            SandboxBind(coredump, at: SandboxPath.coredump),
        ],
        environment: environment, arguments: arguments, user: user)
}

/// Where the program lies in the crash root: where its package has it, for a process of a container or a chroot had
/// another path in the kernel's eyes.
private func program(of crash: Crash, _ resolution: Resolution) -> String {
    let resolved = resolution.modules.first { $0.module.kind == .executable }
    return resolved?.binary?.path ?? crash.executable
}

/// What is set before any file is read.
///
/// Scripts are loaded only from where distributions' packages put them; libthread_db of the crashed libc gives threads
/// their names and reaches thread-local variables.
private func gdbSettings(for architecture: Architecture) -> [String] {
    let libraries = libraryDirectories(for: architecture)
    let trusted = scriptDirectories + libraries.map { "\($0)/libthread_db*" }
    return [
        "debuginfod enabled off", "index-cache enabled off", "debug-file-directory /usr/lib/debug",
        "auto-load local-gdbinit off", "auto-load scripts-directory \(scriptDirectories.joined(separator: ":"))",
        "auto-load safe-path \(trusted.joined(separator: ":"))",
        "libthread-db-search-path \((libraries + ["$sdir"]).joined(separator: ":"))",
        "may-call-functions off", "backtrace limit 2048", "max-value-size 65536",
    ]
}

/// For a gdb to which nobody listens while it runs.
let unattendedSettings = ["pagination off", "confirm off", "width 0", "height 0", "style enabled off"]

private let scriptDirectories = ["/usr/lib/debug", "/usr/share/gdb/auto-load"]

private func libraryDirectories(for architecture: Architecture) -> [String] {
    ["/usr/lib/\(architecture.multiarchTuple)", "/usr/lib64", "/usr/lib"]
}

/// What is printed, in the order in which ABRT's clients know it.
private let gdbReport = [
    "echo \(SectionLabel.pythonStart)\\n", "py-bt", "py-list", "py-locals", "echo \(SectionLabel.pythonEnd)\\n",
    "thread apply all -ascending backtrace full 2048", "info sharedlib", "print (char*)__abort_msg",
    "print (char*)__glib_assert_msg", "info registers", "disassemble",
]

/// One command of gdb that runs the script; in hexadecimal because a command is a single line.
private func pythonCommand(running script: [UInt8], aborted: Bool) -> String {
    let digits = Array("0123456789abcdef".utf8)
    let hex = String(decoding: script.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    let settings = "OUTPUT = '\(SandboxPath.frames)'; ABORTED = \(aborted ? "True" : "False")"
    return "python \(settings); exec(bytes.fromhex('\(hex)').decode())"
}
