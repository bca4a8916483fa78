import Configuration
import FoundationEssentials
package import SystemPackage
import Yams

/// The values of a service's settings. The command line wins over the environment, that over the YAML file, and that over
/// the defaults; `--config FILE` names the file, which is `/etc/retrace/<service>.yaml` otherwise.
package struct ServiceConfiguration: Sendable {
    /// The service's name.
    package let name: String
    /// The keys that the service has.
    package let keys: [ConfigurationKey]
    private let sources: [Source]

    /// Where values come from, in words for whoever must correct one.
    struct Source: Sendable {
        let name: String
        let reader: ConfigReader
    }

    /// - Parameters:
    ///   - options: What followed the options on the command line, by key.
    ///   - environment: `RETRACE_…` variables; others are ignored.
    ///   - file: The YAML file; nil for the one in `/etc/retrace`, which need not exist.
    /// - Throws: ``ConfigurationRefusal`` when the file cannot be read or is not YAML.
    package init(
        name: String, keys: [ConfigurationKey], options: [ConfigurationKey: String] = [:],
        environment: [String: String] = [:], file: FilePath? = nil
    ) async throws(ConfigurationRefusal) {
        self.name = name
        self.keys = keys
        let arguments = [name] + options.map { "\($0.key.option)=\($0.value)" }
        let variables = environment.filter { $0.key.hasPrefix("RETRACE_") }
        let path = file ?? FilePath("/etc/retrace/\(name).yaml")
        let yaml: FileProvider<YAMLSnapshot>
        do {
            yaml = try await FileProvider<YAMLSnapshot>(filePath: path, allowMissing: file == nil)
        } catch {
            throw ConfigurationRefusal("\(path): the file cannot be read as YAML: \(error)")
        }
        try Self.refuseUnknownKeys(in: path, known: keys)
        sources = [
            Source(
                name: "the command line",
                reader: ConfigReader(provider: CommandLineArgumentsProvider(arguments: arguments))),
            Source(
                name: "the environment",
                reader: ConfigReader(
                    provider: EnvironmentVariablesProvider(environmentVariables: variables).prefixKeys(with: "retrace"))
            ),
            Source(name: path.string, reader: ConfigReader(provider: yaml)),
        ]
    }

    /// A misspelt key would otherwise be a setting that nobody set.
    private static func refuseUnknownKeys(
        in file: FilePath, known: [ConfigurationKey]
    ) throws(ConfigurationRefusal) {
        guard let text = try? String(contentsOfFile: file.string, encoding: .utf8) else { return }
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw ConfigurationRefusal("\(file): the file is not YAML: \(error)")
        }
        let names = Set(known.map(\.name))
        func check(_ node: Node, _ prefix: String) throws(ConfigurationRefusal) {
            guard case .mapping(let mapping) = node else { return }
            for (key, value) in mapping {
                let name = prefix + (key.string ?? "")
                if names.contains(name) { continue }
                guard names.contains(where: { $0.hasPrefix(name + ".") }), case .mapping = value else {
                    throw ConfigurationRefusal(
                        "\(file), line \(key.mark?.line ?? 0): there is no setting '\(name)'; '--help' lists those there are"
                    )
                }
                try check(value, name + ".")
            }
        }
        if let root { try check(root, "") }
    }

    /// The value of a key; nil when nobody set it and it has no default.
    package func text(_ key: ConfigurationKey) -> String? { find(key)?.value ?? key.defaultValue }

    /// The value of a key that must have one.
    package func required(_ key: ConfigurationKey) throws(ConfigurationRefusal) -> String {
        guard let value = text(key), !value.isEmpty else {
            throw ConfigurationRefusal(
                "\(key.name) is not set (\(key.help)); give \(key.option), \(key.variable) or the key in "
                    + "/etc/retrace/\(name).yaml")
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
            throw refusal(key, "is not a whole number \(wanted)")
        }
        return number
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
        }
        return nil
    }
}

/// Why a service does not start: one sentence that names the key or option and where it was set.
package struct ConfigurationRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
