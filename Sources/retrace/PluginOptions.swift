import ArgumentParser
import RetraceClient
import ServiceRuntime
import SystemPackage

/// Where the plugins and their keys are; the services' settings of the same names.
struct PluginOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The folder of plugins, *.yaml (RETRACE_PLUGINS; default: /usr/share/retrace/plugins).", valueName: "folder"
        ))
    var plugins: String?

    @Option(
        help: ArgumentHelp(
            "The folder of public keys (RETRACE_KEYS; default: /usr/share/retrace/gpg).", valueName: "folder"))
    var keys: String?

    @Option(
        help: ArgumentHelp(
            "A file with the same keys as the services' (default: /etc/retrace/retrace.yaml, if it is there).",
            valueName: "file"))
    var config: String?

    func folders() async throws(ConfigurationRefusal) -> (plugins: FilePath, keys: FilePath) {
        var options: [ConfigurationKey: String] = [:]
        options[.plugins] = plugins
        options[.keys] = keys
        let variables = [ConfigurationKey.plugins, .keys].compactMap { key in
            Console.variable(key.variable).map { (key.variable, $0) }
        }
        let configuration = try await ServiceConfiguration(
            name: "retrace", keys: BrokerOptions.keysOfTheFile, options: options,
            environment: Dictionary(variables) { first, _ in first }, file: config.map { FilePath($0) })
        return (try configuration.path(.plugins), try configuration.path(.keys))
    }
}
