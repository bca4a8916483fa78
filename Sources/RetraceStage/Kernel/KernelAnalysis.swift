package import CrashModel

/// How crash(8) is used on a kernel's dump, and what becomes of a dump that is kept.
package struct KernelAnalysis: Hashable, Sendable {
    /// How long one command of crash may take.
    package var commandTime: Duration
    /// How long crash may take until it obeys commands, and again for the symbols of the modules.
    package var startTime: Duration
    /// What the operator wants to know beyond the standard commands; each one's output is a file of `results/`.
    package let commands: [String]
    /// How much of one command's output is kept, in bytes; crash is stopped when it prints more.
    package var commandBytes: Int
    /// The address space of crash in bytes, unless the debugger's own limit is higher: a vmlinux has 600 MB and more.
    package var memoryBytes: UInt64
    /// The kinds of pages that makedumpfile(8) takes out of a dump that is kept (`-d`), 0 for never.
    package let stripLevel: Int
    /// How much of its size a dump must lose for the stripped one to take its place, in percent.
    package let stripSavePercent: Int
    /// How long makedumpfile may take.
    package var stripTime: Duration
    /// What makedumpfile must leave free on the disk of the tasks, in bytes: as much as gateway and ingest keep free by
    /// default (`limits.free`), for below it they take no crash.
    package var stripFreeBytes: UInt64

    /// crash's standard commands, and no dump stripped.
    package static let standard = KernelAnalysis()

    /// - Parameter commands: One line each, as typed at crash's prompt.
    /// - Throws: ``InvalidValue`` for a command that is not one plain line, that crash would give to a shell or a file, or
    ///   that ends the session; for a level outside 0…31; for a share outside 0…100.
    package init(
        commandTime: Duration = .seconds(120), startTime: Duration = .seconds(300), commands: [String],
        stripLevel: Int = 0, stripSavePercent: Int = 10
    ) throws(InvalidValue) {
        for command in commands { try Self.check(command) }
        guard (0...31).contains(stripLevel) else {
            throw InvalidValue(
                noun: "dump level", text: "\(stripLevel)", expected: "it is 0 to 31, as of makedumpfile's option -d")
        }
        guard (0...100).contains(stripSavePercent) else {
            throw InvalidValue(noun: "share", text: "\(stripSavePercent)", expected: "it is 0 to 100 percent")
        }
        self.init(commandTime, startTime, commands, stripLevel, stripSavePercent)
    }

    private init(
        _ commandTime: Duration = .seconds(120), _ startTime: Duration = .seconds(300), _ commands: [String] = [],
        _ stripLevel: Int = 0, _ stripSavePercent: Int = 10
    ) {
        self.commandTime = commandTime
        self.startTime = startTime
        self.commands = commands
        self.stripLevel = stripLevel
        self.stripSavePercent = stripSavePercent
        commandBytes = 16 << 20
        memoryBytes = 8 << 30
        stripTime = .seconds(3600)
        stripFreeBytes = 1 << 30
    }

    private static func check(_ command: String) throws(InvalidValue) {
        let words = command.split(separator: " ").map(String.init)
        // What crash does not know itself it gives to the gdb inside it.
        let first = words.first == "gdb" ? words.dropFirst().first : words.first
        let plain = command.utf8.allSatisfy { (0x20..<0x7f).contains($0) }
        guard plain, command.utf8.count <= 200, let first, !refused.contains(first),
            !command.utf8.contains(where: "!|<>".utf8.contains)
        else {
            throw InvalidValue(
                noun: "command of crash", text: command,
                expected: "it is one line of at most 200 plain characters, without ! | < >, and not one of "
                    + refused.sorted().joined(separator: ", "))
        }
    }

    private static let refused: Set<String> = [
        "q", "quit", "exit", "shell", "make", "edit", "source", "python", "py", "python-interactive", "pi", "pipe",
        "guile", "extend", "repeat", "alias",
    ]
}

/// How much could be made of a kernel's dump, the best first.
package enum AnalysisRung: String, Hashable, Sendable, CaseIterable {
    /// crash with everything.
    case full
    /// crash with `--zero_excluded`: pages that are not in the dump are read as zeros.
    case zeroExcluded = "zero-excluded"
    /// crash with `--minimal`: the log, read with the kernel's symbols.
    case minimal
    /// The log, read from the dump alone.
    case logOnly = "log-only"

    /// crash's options for it.
    var options: [String] {
        switch self {
        case .full, .logOnly: []
        case .zeroExcluded: ["--zero_excluded"]
        case .minimal: ["--minimal"]
        }
    }

    /// What there is on it, for people.
    var meaning: String {
        switch self {
        case .full: "everything that crash can tell"
        case .zeroExcluded: "what crash can tell when it reads missing pages as zeros"
        case .minimal: "the kernel's log, read with its symbols"
        case .logOnly: "the kernel's log, read from the dump alone"
        }
    }
}

/// A rung that could not be reached, and why, in words.
struct RungRefusal: Hashable, Sendable {
    let rung: AnalysisRung
    let reason: String
}
