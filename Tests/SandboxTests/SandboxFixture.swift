import Sandbox
import SystemPackage

/// A sandbox whose root is a directory with links to the host's programs, so that a shell can look around in it.
func shell(
    _ script: String, limits: SandboxLimits = quick, binds: [SandboxBind] = [], environment: [String: String] = [:],
    watch: ChildWatch? = nil
) async throws(SandboxError) -> ChildResult {
    let command = SandboxedCommand(
        root: "/usr/share/misc",
        binds: [
            SandboxBind("/usr", at: "/usr"), SandboxBind("/bin", at: "/bin"), SandboxBind("/lib", at: "/lib"),
            SandboxBind("/lib64", at: "/lib64"),
        ] + binds,
        environment: environment, arguments: ["/bin/sh", "-c", script])
    return try await runSandboxed(command, limits: limits, watch: watch)
}

/// Enough for a shell script.
let quick = SandboxLimits(
    memoryBytes: 1 << 30, cpuSeconds: 20, wallTime: .seconds(120), outputBytes: 1 << 16, scratchBytes: 1 << 20)

/// Whether a sandbox can be made on this host at all.
let sandboxWorks: Bool = true

extension ChildResult {
    /// Standard output as text, without blanks at the ends.
    var text: String { trim(standardOutput) }
    /// Standard error as text, without blanks at the ends.
    var errorText: String { trim(standardError) }

    private func trim(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        return String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
