extension ServiceCommand {
    /// The YAML file with every setting of the service at its default, as `--print-config` prints it.
    ///
    /// A setting that has no default stands there as a comment, and so does a section that holds only such.
    /// `services/<name>/<name>.yaml` is this text; `make check` compares them.
    package var defaultSettings: String {
        let root = allKeys.reduce(into: SettingsSection()) { section, key in
            section.insert(key, at: key.name.split(separator: ".").map(String.init)[...])
        }
        let head = """
            # \(name) \(abstract).
            #
            # Every setting at its default; one without a default is commented out. A setting may also be given as an
            # option or a variable: amqp.host as --amqp-host or RETRACE_AMQP_HOST. The command line wins over the
            # environment, the environment over this file. Install it as /etc/retrace/\(name).yaml, mode 0640 if it
            # holds a password. Printed by `\(name) --print-config`.
            """
        return ([head] + root.lines(indent: "", isInComment: false)).joined(separator: "\n")
    }
}

/// The settings below one part of their names, in the order in which the service lists them.
private struct SettingsSection {
    private enum Entry {
        case setting(ConfigurationKey)
        case section(SettingsSection)
    }
    private var entries: [(name: String, entry: Entry)] = []

    /// Whether one of the settings has a default.
    private var hasDefaults: Bool {
        entries.contains { _, entry in
            switch entry {
            case .setting(let key): key.defaultValue != nil
            case .section(let section): section.hasDefaults
            }
        }
    }

    mutating func insert(_ key: ConfigurationKey, at path: ArraySlice<String>) {
        guard let name = path.first else { return }
        guard path.count > 1 else {
            entries.append((name, .setting(key)))
            return
        }
        let place = entries.firstIndex { $0.name == name }
        var section = SettingsSection()
        if let place, case .section(let known) = entries[place].entry { section = known }
        section.insert(key, at: path.dropFirst())
        if let place {
            entries[place].entry = .section(section)
        } else {
            entries.append((name, .section(section)))
        }
    }

    /// - Parameter isInComment: Whether `indent` ends with the `#` of a section that is commented out as a whole.
    func lines(indent: String, isInComment: Bool) -> [String] {
        var lines: [String] = []
        for (name, entry) in entries {
            if indent.isEmpty { lines.append("") }
            switch entry {
            case .setting(let key):
                lines.append("\(indent)# \(key.help)")
                if let value = key.defaultValue {
                    lines.append("\(indent)\(name): \(Self.scalar(value))")
                } else {
                    lines.append("\(indent)\(isInComment ? "" : "#")\(name):")
                }
            case .section(let section):
                let isComment = !isInComment && !section.hasDefaults
                let start = isComment ? indent + "#" : indent
                lines.append("\(start)\(name):")
                lines += section.lines(indent: start + "  ", isInComment: isInComment || isComment)
            }
        }
        return lines
    }

    /// A value as YAML 1.2 reads it back as the same text.
    private static func scalar(_ value: String) -> String {
        let isPlain =
            value.first.map { $0.isLetter || $0.isNumber || $0 == "/" } == true
            && value.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/._-".contains($0)) }
        guard !isPlain else { return value }
        return "'" + value.map { $0 == "'" ? "''" : String($0) }.joined() + "'"
    }
}
