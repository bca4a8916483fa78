import ChrootStage
import JobMessages
import RetraceStage
import Sandbox
import ServiceRuntime

@main
struct Retracer {
    static func main() async {
        let command = ServiceCommand(
            name: "retracer", abstract: "runs the debugger on a core, in a sandbox",
            keys: [.spool, .store, .debuggerMemory, .debuggerSeconds, .debuggerOutput])
        await command.runWorker(RetraceJob.self) { configuration, _ in
            if let problem = await sandboxProblem() { throw ConfigurationRefusal(problem.description) }
            return retraceHandler(
                spool: try configuration.path(.spool), store: try configuration.path(.store),
                limits: try limits(configuration))
        }
    }

    static func limits(_ configuration: ServiceConfiguration) throws -> RetraceLimits {
        var limits = RetraceLimits()
        if let mebibytes = try configuration.number(.debuggerMemory, in: 64...(1 << 20)) {
            limits.sandbox.memoryBytes = UInt64(mebibytes) << 20
        }
        if let seconds = try configuration.number(.debuggerSeconds, in: 1...86400) {
            limits.sandbox.wallTime = .seconds(seconds)
            limits.sandbox.cpuSeconds = UInt64(seconds)
        }
        if let mebibytes = try configuration.number(.debuggerOutput, in: 1...1024) {
            limits.sandbox.outputBytes = mebibytes << 20
        }
        return limits
    }
}

extension ConfigurationKey {
    static let debuggerMemory = Self("debugger.memory", default: "4096", "MiB of address space for one debugger")
    static let debuggerSeconds = Self("debugger.seconds", default: "600", "seconds that one debugger may run")
    static let debuggerOutput = Self("debugger.output", default: "32", "MiB of text that one debugger may print")
}
