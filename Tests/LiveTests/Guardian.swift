import Glibc
import Subprocess
import SystemPackage
import TestFixtures

/// Ends what was started for a directory when the test process dies without having done so itself.
struct Guardian: Sendable {
    let directory: FilePath

    /// Reads the pipe from the test: `over` means that all is well, its end that the test is dead.
    static let script = """
        trap '' INT HUP TERM
        read -r word && [ "$word" = over ] && exit 0
        for pid in $(grep -lszxF "RETRACE_SPOOL=$0/spool" /proc/[0-9]*/environ | tr -dc '0-9\\n'); do
            kill -KILL "$pid"
        done
        while read -r other; do
            gpgconf --homedir "$other" --kill all
            rm -rf "$other"
        done < "$0/keyrings"
        rm -rf "$0" "/dev/shm/$(basename "$0")"
        """

    /// Runs `body` while a shell stands by.
    func watching<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
        var options = PlatformOptions()
        options.createSession = true
        let outcome = try await run(
            .path("/bin/sh"), arguments: ["-c", Self.script, directory.string], platformOptions: options,
            input: .inputWriter, output: .discarded, error: .discarded
        ) { execution in
            do {
                let value = try await body()
                _ = try await execution.standardInputWriter.write("over\n")
                return value
            } catch {
                _ = try await execution.standardInputWriter.write("over\n")
                throw error
            }
        }
        return outcome.closureResult
    }

    /// Sees that nothing lives on that belongs to any of the directories; what was just killed has a moment to go.
    static func expectNoProcess(of directories: [FilePath], within limit: Duration = .seconds(60)) async throws {
        let deadline = ContinuousClock.now + limit
        while true {
            let alive = directories.flatMap { Guardian(directory: $0).survivors() }
            if alive.isEmpty { return }
            guard ContinuousClock.now < deadline else {
                throw Stack.Failure(description: "processes outlive the tests:\n" + alive.joined(separator: "\n"))
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    func removeDirectory() async throws {
        _ = try await run(
            .name("rm"), arguments: ["-rf", directory.string, Stack.distantDumps(of: directory).string],
            output: .discarded)
    }

    /// The processes that have the directory in their command line or environment, with their command lines.
    func survivors() -> [String] {
        let needle = Array(directory.string.utf8)
        return FolderContents.names(in: "/proc").filter { $0.allSatisfy(\.isNumber) && $0 != String(getpid()) }
            .compactMap { number -> String? in
                let folder = FilePath("/proc").appending(number)
                // A process that ends meanwhile has neither.
                guard let line = try? FolderContents.read(folder.appending("cmdline")),
                    let environment = try? FolderContents.read(folder.appending("environ")),
                    line.firstRange(of: needle) != nil || environment.firstRange(of: needle) != nil
                else { return nil }
                return "\(number) \(String(decoding: line.map { $0 == 0 ? 0x20 : $0 }, as: UTF8.self))"
            }
    }
}
