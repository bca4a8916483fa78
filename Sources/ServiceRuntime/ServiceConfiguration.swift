import Configuration
import Synchronization
package import SystemPackage

/// The values of a service's settings. The command line wins over the environment, that over the YAML file, and that over
/// the defaults; `--config FILE` names the file, which is `/etc/retrace/<service>.yaml` otherwise.
package struct ServiceConfiguration: Sendable {
    /// The service's name.
    package let name: String
    /// The keys that the service has.
    package let keys: [ConfigurationKey]
    private let file: FilePath
    private let sources: [Source]
    /// nil where the first fault is thrown.
    private let faults: FaultList?

    /// Where values come from, in words for whoever must correct one.
    struct Source: Sendable {
        let name: String
        let reader: ConfigReader
        /// In YAML a value may be a list, which everywhere else is a text with commas.
        var hasLists = false
    }

    /// - Parameters:
    ///   - options: What followed the options on the command line, by key.
    ///   - environment: `RETRACE_…` variables; others are ignored.
    ///   - file: The YAML file; nil for the one in `/etc/retrace`, which need not exist.
    ///   - gathersFaults: Whether what is wrong is kept for ``tellingAllFaults(_:)`` instead of being thrown.
    /// - Throws: ``ConfigurationRefusal`` when the file cannot be read or is not YAML, or with every key of the file and
    ///   every variable that is no setting.
    package init(
        name: String, keys: [ConfigurationKey], options: [ConfigurationKey: String] = [:],
        environment: [String: String] = [:], file: FilePath? = nil, gathersFaults: Bool = false
    ) async throws(ConfigurationRefusal) {
        self.name = name
        self.keys = keys
        let path = file ?? FilePath("/etc/retrace/\(name).yaml")
        self.file = path
        let arguments = [name] + options.map { "\($0.key.option)=\($0.value)" }
        let variables = environment.filter { $0.key.hasPrefix("RETRACE_") }
        let layout = try SettingsFile(path, mayBeMissing: file == nil, keys: keys)
        let found = layout.faults + unknownVariables(in: variables, keys: keys)
        faults = gathersFaults ? FaultList(found) : nil
        if !gathersFaults, !found.isEmpty { throw ConfigurationRefusal(found) }
        var sources = [
            Source(
                name: "the command line",
                reader: ConfigReader(provider: CommandLineArgumentsProvider(arguments: arguments))),
            Source(
                name: "the environment",
                reader: ConfigReader(
                    provider: EnvironmentVariablesProvider(environmentVariables: variables).prefixKeys(with: "retrace"))
            ),
        ]
        if layout.isMapping {
            do {
                let yaml = try await FileProvider<YAMLSnapshot>(filePath: path)
                sources.append(Source(name: path.string, reader: ConfigReader(provider: yaml), hasLists: true))
            } catch {
                throw ConfigurationRefusal("\(path): the file cannot be read as YAML: \(error)")
            }
        }
        self.sources = sources
    }

    /// Runs `body`, which reads settings, and tells all that is wrong at once.
    ///
    /// - Throws: ``ConfigurationRefusal`` with every fault that was found; what `body` throws is the last.
    package func tellingAllFaults(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch {
            guard let faults, !faults.all.isEmpty else { throw error }
            throw ConfigurationRefusal(faults.all + ["\(error)"])
        }
        if let faults, !faults.all.isEmpty { throw ConfigurationRefusal(faults.all) }
    }

    /// Throws `refusal`, or keeps it and gives `value`, so that whoever reads the settings finds what else is wrong.
    package func refuse<Value>(
        _ refusal: ConfigurationRefusal, goingOnWith value: Value
    ) throws(ConfigurationRefusal) -> Value {
        guard let faults else { throw refusal }
        faults.add(refusal.description)
        return value
    }

    /// The value of a key; nil when nobody set it and it has no default.
    package func text(_ key: ConfigurationKey) -> String? { find(key)?.value ?? key.defaultValue }

    /// The value of a key that must have one.
    package func required(_ key: ConfigurationKey) throws(ConfigurationRefusal) -> String {
        guard let value = text(key), !value.isEmpty else {
            throw ConfigurationRefusal(
                "\(key.name) is not set (\(key.help)); give \(key.option), \(key.variable) or the key in "
                    + file.string)
        }
        return value
    }

    /// A whole number.
    ///
    /// - Throws: ``ConfigurationRefusal`` when it is none or outside `range`; it names the key and where it was set.
    package func number(
        _ key: ConfigurationKey, in range: ClosedRange<Int> = 0...Int.max
    ) throws(ConfigurationRefusal) -> Int? {
        guard let text = text(key) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            let wanted =
                range.upperBound == .max ? "from \(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
            return try refuse(refusal(key, "is not a whole number \(wanted)"), goingOnWith: nil)
        }
        return number
    }

    /// A yes or no: `true`, `yes`, `on`, `false`, `no` or `off`, in any case; false where nothing is set.
    ///
    /// - Throws: ``ConfigurationRefusal`` for anything else; it names the key and where it was set.
    package func flag(_ key: ConfigurationKey) throws(ConfigurationRefusal) -> Bool {
        switch text(key)?.lowercased() {
        case "true", "yes", "on": true
        case "false", "no", "off", nil: false
        default: try refuse(refusal(key, "is neither true nor false"), goingOnWith: false)
        }
    }

    /// An absolute path; a relative one counts from the working directory.
    package func path(_ key: ConfigurationKey) throws(ConfigurationRefusal) -> FilePath {
        FilePath(try required(key))
    }

    /// The refusal of a value, with where it was set. The value itself is told unless it is a secret.
    package func refusal(_ key: ConfigurationKey, _ problem: String) -> ConfigurationRefusal {
        let found = find(key)
        let value = key.isSecret ? "its value" : "'\(found?.value ?? key.defaultValue ?? "")'"
        return ConfigurationRefusal("\(key.name) in \(found?.source ?? "the defaults"): \(value) \(problem)")
    }

    private func find(_ key: ConfigurationKey) -> (value: String, source: String)? {
        let parts = key.name.split(separator: ".").map(String.init)
        for source in sources {
            if let value = source.reader.string(forKey: ConfigKey(parts), isSecret: key.isSecret) {
                return (value, source.name)
            }
            if source.hasLists, let list = source.reader.stringArray(forKey: ConfigKey(parts), isSecret: key.isSecret) {
                return (list.joined(separator: ", "), source.name)
            }
        }
        return nil
    }
}

/// Why a service does not start: a sentence that names the key or option and where it was set, or a line for each of them.
package struct ConfigurationRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
    init(_ faults: [String]) { self.init(faults.joined(separator: "\n")) }
}

/// What is wrong with the settings, in the order in which it was found; each fault once.
private final class FaultList: Sendable {
    private let faults: Mutex<[String]>
    init(_ faults: [String]) { self.faults = Mutex(faults) }
    var all: [String] { faults.withLock { $0 } }
    func add(_ fault: String) { faults.withLock { if !$0.contains(fault) { $0.append(fault) } } }
}
