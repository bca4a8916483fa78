import ArgumentParser

/// `retrace plugin`: what concerns the files that describe distributions.
struct PluginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin",
        abstract: "Checks the plugins: the files that describe distributions and their mirrors.",
        subcommands: [PluginCheckCommand.self])
}
