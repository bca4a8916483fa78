import ChrootStage
import CrashModel
import JobMessages
import RetraceStage
import Sandbox
import ServiceRuntime

@main
struct Retracer {
    static func main() async {
        let command = ServiceCommand(
            name: "retracer", abstract: "runs the debugger on a core, in a sandbox",
            keys: [
                .spool, .store, .debuggerMemory, .debuggerSeconds, .debuggerOutput, .kernelCommands,
                .kernelCommandSeconds, .kernelStartSeconds, .kernelStripLevel, .kernelStripSaving,
            ])
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
        limits.kernel = try kernelAnalysis(configuration)
        return limits
    }

    private static func kernelAnalysis(_ configuration: ServiceConfiguration) throws -> KernelAnalysis {
        let standard = KernelAnalysis.standard
        let commands = (configuration.text(.kernelCommands) ?? "").split(separator: ";").map { command in
            String(command.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
        do {
            return try KernelAnalysis(
                commandTime: try configuration.number(.kernelCommandSeconds, in: 1...86400).map { .seconds($0) }
                    ?? standard.commandTime,
                startTime: try configuration.number(.kernelStartSeconds, in: 1...86400).map { .seconds($0) }
                    ?? standard.startTime,
                commands: commands.filter { !$0.isEmpty },
                stripLevel: try configuration.number(.kernelStripLevel, in: 0...31) ?? standard.stripLevel,
                stripSavePercent: try configuration.number(.kernelStripSaving, in: 0...100)
                    ?? standard.stripSavePercent)
        } catch let error as InvalidValue {
            throw configuration.refusal(.kernelCommands, error.description)
        }
    }
}

extension ConfigurationKey {
    static let debuggerMemory = Self("debugger.memory", default: "4096", "MiB of address space for one debugger")
    static let debuggerSeconds = Self("debugger.seconds", default: "600", "seconds that one debugger may run")
    static let debuggerOutput = Self("debugger.output", default: "32", "MiB of text that one debugger may print")
    static let kernelCommands = Self(
        "kernel.commands", default: nil, "further commands of crash for every kernel's dump, separated by semicolons")
    static let kernelCommandSeconds = Self(
        "kernel.commandseconds", default: "120", "seconds that one command of crash may take")
    static let kernelStartSeconds = Self(
        "kernel.startseconds", default: "300", "seconds that crash may take until it obeys commands")
    static let kernelStripLevel = Self(
        "kernel.striplevel", default: "0", "pages to take out of kept dumps: makedumpfile -d, 0 to 31; 0 for none")
    static let kernelStripSaving = Self(
        "kernel.stripsaving", default: "10", "percent that a dump must lose for the stripped one to be kept")
}
