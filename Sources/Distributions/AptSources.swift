package import SystemPackage

/// The archives that this machine's own apt reads: apt's sources.list(5), in both of its styles.
///
/// `Signed-By` is left out on purpose: whatever comes from these mirrors is verified with the plugins' keys only.
package struct AptSources: Hashable, Sendable {
    package let entries: [Entry]

    /// One archive, with the suites and components that apt takes from it.
    package struct Entry: Hashable, Sendable {
        /// Without a slash at the end.
        package let address: String
        package let suites: [String]
        package let components: [String]
        /// Whether `Valid-Until` counts; false where apt is told not to check it.
        package var checksValidUntil: Bool

        package init(address: String, suites: [String], components: [String], checksValidUntil: Bool = true) {
            self.address = address
            self.suites = suites
            self.components = components
            self.checksValidUntil = checksValidUntil
        }
    }

    package init(entries: [Entry]) { self.entries = entries }

    /// Reads `sources.list`, `sources.list.d/*.list` and `sources.list.d/*.sources`; blocking.
    ///
    /// - Parameter folder: apt's folder of configuration; what is not there or not readable counts as empty, as it
    ///   does for apt on a machine that is configured in another way.
    package init(folder: FilePath = "/etc/apt") {
        var entries: [Entry] = []
        let parts = folder.appending("sources.list.d")
        let names = (try? namesOfFiles(in: parts)) ?? []
        for path in [folder.appending("sources.list")] + names.map({ parts.appending($0) }) {
            guard let text = try? readText(path, limit: 1 << 20) else { continue }
            switch path.extension {
            case "list": entries += Self.oneLineEntries(text)
            case "sources": entries += Self.deb822Entries(text)
            default: continue
            }
        }
        if Self.disablesValidUntil(folder) {
            for index in entries.indices { entries[index].checksValidUntil = false }
        }
        self.entries = entries
    }

    /// The addresses that carry `suite` with at least one of `components`, in apt's order and each once.
    package func addresses(suite: String, components: [String]) -> [String] {
        var found: [String] = []
        for entry in entries
        where entry.suites.contains(suite) && entry.components.contains(where: components.contains)
            && !found.contains(entry.address)
        {
            found.append(entry.address)
        }
        return found
    }

    /// Whether apt is told not to check `Valid-Until` of what this address has.
    package func ignoresValidUntil(at address: String) -> Bool {
        entries.contains { $0.address == address && !$0.checksValidUntil }
    }

    /// `Acquire::Check-Valid-Until "false";` in apt.conf(5).
    private static func disablesValidUntil(_ folder: FilePath) -> Bool {
        let parts = folder.appending("apt.conf.d")
        let names = (try? namesOfFiles(in: parts)) ?? []
        return ([folder.appending("apt.conf")] + names.map { parts.appending($0) }).contains { path in
            guard let text = try? readText(path, limit: 1 << 20) else { return false }
            return text.lowercased().split(whereSeparator: \.isNewline).contains { line in
                let words = line.split { " \t\";".contains($0) }
                return words.first == "acquire::check-valid-until" && ["false", "no", "0"].contains(words.last)
            }
        }
    }

    /// `deb [options] address suite component…`, one a line.
    static func oneLineEntries(_ text: String) -> [Entry] {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            var words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)[...]
            guard words.first == "deb" else { return nil }
            words = words.dropFirst()
            var checks = true
            if words.first?.hasPrefix("[") == true {
                checks = !words.prefix { !$0.hasPrefix("http") }.contains { $0.contains("check-valid-until=no") }
                words = words.drop { !$0.hasSuffix("]") }.dropFirst()
            }
            guard words.count >= 3, let address = usable(words[words.startIndex]) else { return nil }
            return Entry(
                address: address, suites: [String(words[words.startIndex + 1])],
                components: words.dropFirst(2).map(String.init), checksValidUntil: checks)
        }
    }

    /// Stanzas of `Types:`, `URIs:`, `Suites:` and `Components:`.
    static func deb822Entries(_ text: String) -> [Entry] {
        var entries: [Entry] = []
        var stanza: [String: String] = [:]
        var key = ""
        func close() {
            let words = { (name: String) in (stanza[name] ?? "").split(whereSeparator: \.isWhitespace) }
            let isOff = ["no", "false", "0"].contains(stanza["enabled"]?.lowercased() ?? "")
            if words("types").contains("deb"), !isOff {
                for address in words("uris").compactMap(usable) {
                    entries.append(
                        Entry(
                            address: address, suites: words("suites").map(String.init),
                            components: words("components").map(String.init),
                            checksValidUntil: !["no", "false"].contains(stanza["check-valid-until"] ?? "")))
                }
            }
            stanza = [:]
        }
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) where line.first != "#" {
            if line.allSatisfy(\.isWhitespace) {
                close()
            } else if line.first?.isWhitespace == true {
                stanza[key, default: ""] += " " + line
            } else if let colon = line.firstIndex(of: ":") {
                key = line[..<colon].lowercased()
                stanza[key] = trimmed(line[line.index(after: colon)...])
            }
        }
        close()
        return entries
    }

    /// An address of a scheme that a mirror can have; apt's own `cdrom:` and `mirror+file:` are not among them.
    private static func usable(_ address: Substring) -> String? {
        if address.hasPrefix("file:/"), !address.hasPrefix("file://") { return usable(address.dropFirst(5)) }
        guard ["http://", "https://", "file:///", "/"].contains(where: address.hasPrefix) else { return nil }
        return String(address.hasSuffix("/") ? address.dropLast() : address)
    }

    private static func trimmed(_ text: Substring) -> String {
        let start = text.drop { $0.isWhitespace }
        let kept = start.reversed().drop { $0.isWhitespace }.count
        return String(start.prefix(kept))
    }
}
