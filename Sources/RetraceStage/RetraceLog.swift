import CrashModel
import Glibc
import Sandbox

/// The file `retrace-log`: what the stage did, a line each with the time, for the person who asks why.
struct RetraceLog {
    private(set) var text = ""

    mutating func note(_ line: String) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        gmtime_r(&now.tv_sec, &parts)
        func two(_ number: some BinaryInteger) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let day = "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
        let time = "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
        for part in safeText(line.utf8).split(separator: "\n") { text += "[\(day)T\(time)Z] \(part)\n" }
    }

    /// The command line of the debugger; the script in it is only named, and the host's side of the mounts left out,
    /// because the uploader reads this.
    mutating func note(_ command: SandboxedCommand) {
        let arguments = command.arguments.map { argument in
            let shown = argument.hasPrefix("python OUTPUT") ? "python (the script frames.py)" : argument
            return shown.contains(" ") || shown.contains("'") ? "'\(shown)'" : shown
        }
        note("runs " + arguments.joined(separator: " "))
    }

    mutating func note(_ resolution: Resolution) {
        note("release \(resolution.releaseID?.description ?? "unknown"): \(resolution.releaseEvidence)")
        for module in resolution.modules {
            let packages = [module.binary?.nevra, module.debuginfo?.nevra].compactMap { $0?.description }
            let reason = module.reason.map { " (\($0))" } ?? ""
            note(
                "module \(module.module.path) \(module.module.buildID?.description ?? "-"): "
                    + "\(module.status.rawValue) \(packages.joined(separator: " "))\(reason)")
        }
    }

    mutating func note(_ result: ChildResult, of tool: String = "gdb") {
        note("\(tool) \(result.termination) after \(result.wallTime.milliseconds) ms")
        for line in safeText(result.standardError.suffix(8192)).split(separator: "\n") { note("\(tool): \(line)") }
    }
}
