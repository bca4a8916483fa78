import ArgumentParser
import CrashModel
import RetraceClient

/// Which server, for every command that asks one.
struct ServerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The server (RETRACE_SERVER_URI; default http://127.0.0.1:8181). Without http:// it is taken for https://.",
            valueName: "url"))
    var server: String?

    @Flag(help: "Believe any certificate, such as a self-signed one (RETRACE_SERVER_INSECURE).")
    var insecure = false

    func address() throws(ClientError) -> ServerAddress {
        let given = [server, Console.variable("RETRACE_SERVER_URI")].compactMap { $0 }.first { !$0.isEmpty }
        return try ServerAddress(given ?? "http://127.0.0.1:8181")
    }

    /// Runs work with the server, whose connections are closed afterwards.
    func run(_ work: (RetraceServer) async throws -> Void) async throws {
        let variable = Console.variable("RETRACE_SERVER_INSECURE") ?? ""
        let isInsecure = insecure || !["", "0", "no", "false"].contains(variable.lowercased())
        try await RetraceServer.with(address(), isInsecure: isInsecure, work)
    }
}

/// Which task, for the commands that ask for one.
struct TaskOptions: ParsableArguments {
    @Argument(help: "The id that 'retrace submit' printed.")
    var id: String

    @Option(
        help: ArgumentHelp(
            "The task's password (RETRACE_PASSWORD, which other users cannot see); tasks that were submitted from here need none."
        ))
    var password: String?

    @OptionGroup var server: ServerOptions

    func credentials() throws(ClientError) -> TaskCredentials {
        let task: TaskID
        do {
            task = try TaskID(id)
        } catch {
            throw ClientError(.usage, "\(error).")
        }
        let password = try findPassword(
            of: task, on: server.address(), option: password, environment: Console.variable("RETRACE_PASSWORD"),
            store: CredentialStore(environment: Console.variable))
        return TaskCredentials(task: task, password: password)
    }
}
