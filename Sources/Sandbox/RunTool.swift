package import SystemPackage

/// Runs a trusted program of the host, such as gpgv, under limits but without namespaces.
///
/// The program dies with the calling thread's process (`PR_SET_PDEATHSIG`), at its deadline, or when the Swift task is
/// cancelled. It sees no standard input.
///
/// - Parameters:
///   - arguments: The program, as a name found in the usual directories or as an absolute path, and its arguments.
///   - environment: The whole environment; by default a plain `PATH` and `LC_ALL=C`.
///   - workingDirectory: nil for that of the service.
///   - limits: ``SandboxLimits/tool`` by default.
/// - Throws: ``SandboxError`` when the program could not be run; its own failure is in the result.
package func runTool(
    _ arguments: [String], environment: [String: String] = [:], workingDirectory: FilePath? = nil,
    limits: SandboxLimits = .tool
) async throws(SandboxError) -> ChildResult {
    guard let program = arguments.first, !program.isEmpty else {
        throw SandboxError(.invalidCommand, "A command needs a program.")
    }
    let command =
        ["prlimit"] + limits.prlimitOptions + ["--", "setpriv", "--pdeathsig", "KILL", "--"] + arguments
    let result = try await runChild(
        command, environment: plainEnvironment.merging(environment) { $1 }, workingDirectory: workingDirectory,
        limits: limits)
    if result.termination == .exited(127), result.standardError.starts(with: "setpriv: ".utf8) {
        throw SandboxError(.programMissing, "The program \(program) is not installed on this host: install it.")
    }
    return result
}
