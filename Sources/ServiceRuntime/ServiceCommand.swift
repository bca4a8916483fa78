package import SystemPackage

/// The version that `--version` prints.
package let retraceVersion = "0.1.0"

/// A service as a command: its name, what it is for, and the settings it reads.
package struct ServiceCommand: Sendable {
    package let name: String
    /// What it does, for the first line of `--help`, such as `finds the packages that crashed`.
    package let abstract: String
    /// The keys that it reads beside those of every service.
    package let keys: [ConfigurationKey]
    /// Whether it takes jobs from a queue; the gateway does not.
    package let runsJobs: Bool
    /// The keys whose values are routing keys of jobs; their queues are declared beside those of the stages.
    package let queueKeys: [ConfigurationKey]
    /// How many jobs run at a time where nobody sets it.
    package let concurrency: Int

    package init(
        name: String, abstract: String, keys: [ConfigurationKey], runsJobs: Bool = true,
        queueKeys: [ConfigurationKey] = [], concurrency: Int = 1
    ) {
        self.name = name
        self.abstract = abstract
        self.keys = keys
        self.runsJobs = runsJobs
        self.queueKeys = (runsJobs ? [.queue] : []) + queueKeys
        self.concurrency = concurrency
    }

    /// What the arguments ask for.
    package enum Request: Hashable, Sendable {
        case help
        case version
        /// Prints the YAML file of the service's settings at their defaults.
        case printConfiguration
        /// Reads every setting as the service would, and says what is wrong.
        case checkConfiguration(Options)
        /// Runs as a service until it is told to stop.
        case serve(Options)
        /// Runs the one job in a file and prints what comes out.
        case replay(FilePath, Options)
    }

    /// The settings on the command line.
    package struct Options: Hashable, Sendable {
        package var values: [ConfigurationKey: String]
        /// The file that `--config` names.
        package var file: FilePath?

        package init(values: [ConfigurationKey: String] = [:], file: FilePath? = nil) {
            self.values = values
            self.file = file
        }
    }

    /// - Parameter arguments: Without the program's name.
    /// - Throws: ``ConfigurationRefusal`` that names the option that is not known or lacks its value.
    package func parse(_ arguments: [String]) throws(ConfigurationRefusal) -> Request {
        let known = Dictionary(allKeys.map { ($0.option, $0) }) { first, _ in first }
        var options = Options()
        var job: FilePath?
        var checks = false
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--help" || argument == "-h" { return .help }
            if argument == "--version" { return .version }
            if argument == "--print-config" { return .printConfiguration }
            if argument == "--check-config" {
                checks = true
                continue
            }
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let option = parts[0]
            let key = known[option]
            guard key != nil || option == "--config" || option == "--job" else {
                throw ConfigurationRefusal("\(name) has no option '\(option)'; '\(name) --help' lists those it has")
            }
            guard let value = parts.count > 1 ? parts[1] : rest.popFirst() else {
                throw ConfigurationRefusal("\(option) needs a value after it; see '\(name) --help'")
            }
            if let key { options.values[key] = value }
            if option == "--config" { options.file = FilePath(value) }
            if option == "--job" { job = FilePath(value) }
        }
        if checks { return .checkConfiguration(options) }
        return job.map { .replay($0, options) } ?? .serve(options)
    }

    var allKeys: [ConfigurationKey] {
        keys + (runsJobs ? [.concurrency(default: concurrency)] + ConfigurationKey.ofEveryWorker : [])
            + ConfigurationKey.ofEveryService
    }

    /// What `--help` prints.
    package var help: String {
        let width = 24
        func line(_ option: String, _ text: String) -> String {
            let gap = String(repeating: " ", count: max(1, width - option.count))
            return "  \(option)\(gap)\(text)"
        }
        let settings = allKeys.map { key in
            let usual = key.defaultValue.map { " [\($0)]" } ?? ""
            return line(key.option, key.help + usual)
        }
        let replay = """

                   \(name) --job FILE [OPTION VALUE]...        run the one job in FILE ('-': standard input) without
                                                  a broker, print what would be sent next as JSON
            """
        let head = """
            \(name) \(abstract).

            usage: \(name) [--config FILE] [OPTION VALUE]...   run as a service until SIGTERM\(runsJobs ? replay : "")
                   \(name) --check-config [OPTION VALUE]...    read the settings as the service would; 0 if they are good
                   \(name) --print-config                      print the YAML file with every setting at its default
                   \(name) --help | --version

            """
        let foot = """

            A setting may also be given as a variable, --amqp-host as RETRACE_AMQP_HOST, or in the YAML file that
            --config names (/etc/retrace/\(name).yaml otherwise), as host: under amqp:. The command line wins over
            the environment, the environment over the file. Give passwords in the file or the environment.

            exit status: 0 stopped in order or job done, 64 bad option, 65 the job failed or cannot be read,
                         69 no broker, 70 internal error, 78 bad setting
            """
        return ([head] + settings + [foot]).joined(separator: "\n")
    }
}
