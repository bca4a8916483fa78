/// The files of a plugins' folder, and which takes over the keys of which.
///
/// A file with `distribution` describes one; with `inherits` besides, it is derived from another. A file with `inherits`
/// alone adds to that distribution under its own name, in the order of the files' names.
struct PluginFamily {
    private let faults: PluginFaults
    private var described: [(distribution: String, file: PluginFile)] = []
    private var added: [PluginFile] = []

    init(_ files: [PluginFile], faults: PluginFaults) {
        self.faults = faults
        for file in files {
            guard let distribution = file.distribution else {
                added.append(file)
                continue
            }
            if described.contains(where: { $0.distribution == distribution }) {
                faults.note(
                    file.fields.error(
                        "distribution",
                        "another plugin already describes \(distribution); to add to it, write 'inherits: "
                            + "\(distribution)' and leave 'distribution' out"))
            } else {
                described.append((distribution, file))
            }
        }
    }

    /// Every distribution with all that is said of it, in the order of the files that describe them.
    func completed() -> [CompletedPlugin] {
        for file in added where plugin(file.parent) == nil { noteUnknownParent(file) }
        return described.compactMap { completed($0.distribution, above: []) }
    }

    private func completed(_ distribution: String, above children: [String]) -> CompletedPlugin? {
        guard let file = plugin(distribution) else { return nil }
        var whole: CompletedPlugin
        if let parent = file.parent {
            guard parent != distribution else {
                faults.note(
                    file.fields.error(
                        "inherits",
                        "a plugin cannot inherit from itself; leave 'distribution' out to add to \(parent)"))
                return nil
            }
            guard !children.contains(distribution) else {
                faults.note(
                    file.fields.error(
                        "inherits",
                        "the plugins inherit from each other in a circle: "
                            + (children.drop { $0 != distribution } + [distribution]).joined(separator: " → ")))
                return nil
            }
            guard plugin(parent) != nil else {
                noteUnknownParent(file)
                return nil
            }
            guard let base = completed(parent, above: children + [distribution]) else { return nil }
            whole = base
            whole.derive(file)
        } else {
            whole = CompletedPlugin(file)
        }
        for file in added where file.parent == distribution { whole.extend(by: file) }
        return whole
    }

    private func plugin(_ distribution: String?) -> PluginFile? {
        described.first { $0.distribution == distribution }?.file
    }

    private func noteUnknownParent(_ file: PluginFile) {
        let known = described.map(\.distribution).filter { $0 != file.distribution }
        faults.note(
            file.fields.error(
                "inherits",
                "no plugin describes \(file.parent ?? ""); "
                    + (known.isEmpty ? "there is no other" : "known are \(known.joined(separator: ", "))")))
    }
}
