/// A command of crash(8), or some in a row, with the file that takes the output of the last.
struct KernelCommand: Hashable, Sendable {
    /// The name of the file in `results/`, and of the command for people.
    let name: String
    let lines: [String]
    /// Whether the output becomes a file of `results/`; otherwise only the stage reads it.
    var isPublished = true
    /// Whether this stage reads the output itself, too.
    var isRead = false

    /// How much of an output this stage reads, in bytes: more than `bt -a` prints of a thousand processors.
    static let headBytes = 4 << 20

    /// Loads the debug files of modules; its output is `mod`'s.
    static let symbolsName = "symbols"

    /// What is asked of every dump, in this order; then the operator's own.
    ///
    /// - Parameters:
    ///   - log: Whether the log is not there yet.
    ///   - moduleFiles: Where modules' debug files lie in the crash root, by the module's name.
    static func all(log: Bool, moduleFiles: [ModuleFile], operators: [String]) -> [KernelCommand] {
        var commands: [KernelCommand] = []
        if log { commands.append(KernelCommand(name: "log", lines: ["log"])) }
        commands.append(KernelCommand(name: "sys", lines: ["sys"], isRead: true))
        commands.append(KernelCommand(name: "taint", lines: ["sys -t"], isPublished: false, isRead: true))
        if !moduleFiles.isEmpty {
            // `mod -S directory` would do the same by a shell and find(1), which are not in the sandbox.
            let lines = moduleFiles.map { "mod -s \($0.name) \($0.path)" }
            commands.append(KernelCommand(name: symbolsName, lines: lines, isPublished: false))
        }
        commands += [
            KernelCommand(name: "bt", lines: ["bt -s -l -x"], isRead: true),
            KernelCommand(name: "bt-a", lines: ["bt -a -s -l -x"], isRead: true),
            KernelCommand(name: "mod", lines: ["mod"], isRead: true), KernelCommand(name: "ps", lines: ["ps"]),
            KernelCommand(name: "mount", lines: ["mount"]), KernelCommand(name: "files", lines: ["files"]),
        ]
        var names = Set(["exploitable", "retrace-log", "log", symbolsName] + commands.map(\.name))
        var lines = Set(commands.flatMap(\.lines))
        for command in operators where lines.insert(command).inserted {
            let name = fileName(for: command, unlike: names)
            names.insert(name)
            commands.append(KernelCommand(name: name, lines: [command]))
        }
        return commands
    }

    /// `foreach bt -t` → `foreach-bt-t`.
    private static func fileName(for command: String, unlike taken: Set<String>) -> String {
        let words = command.lowercased().split { !$0.isASCII || !($0.isLetter || $0.isNumber) }
        let name = String(words.joined(separator: "-").prefix(60))
        let base = name.isEmpty ? "command" : name
        guard taken.contains(base) else { return base }
        return (2...).lazy.map { "\(base)-\($0)" }.first { !taken.contains($0) } ?? base
    }
}

/// The file of commands that crash reads (`-i`), which says after each command that it is done.
///
/// The output of a command goes to a file of its own, so nothing in a dump can pass for the end of it. Between commands
/// stands a word that is no command, which crash names on its standard output at once: unlike gdb's `echo`, which comes
/// out of order. The word is drawn anew for every session, after the dump was made.
struct KernelScript {
    let text: String
    let nonce: String

    /// - Parameter output: Where the output of the command at an index goes, inside the sandbox.
    init(_ commands: [KernelCommand], output: (Int) -> String) {
        let nonce =
            "mark"
            + [UInt64](repeating: 0, count: 2).map { _ in
                String(UInt64.random(in: UInt64.min...UInt64.max), radix: 36)
            }.joined()
        var lines = [nonce + ".0"]
        for (index, command) in commands.enumerated() {
            lines += command.lines.dropLast().map { "\($0) > /dev/null" }
            lines += command.lines.suffix(1).map { "\($0) > \(output(index))" }
            lines.append("\(nonce).\(index + 1)")
        }
        lines.append("quit")
        text = lines.joined(separator: "\n") + "\n"
        self.nonce = nonce
    }
}
