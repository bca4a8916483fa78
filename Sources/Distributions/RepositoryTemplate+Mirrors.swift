import Yams

extension RepositoryTemplate {
    private static let schemes = ["http://", "https://", "rsync://", "ftp://"]

    /// Reads one of `mirrors`.
    static func mirror(
        _ node: Node, _ entry: PluginMapping, _ format: PackageFormat
    ) throws(CatalogError) -> Mirror {
        let text = node.string ?? ""
        if text == Mirror.hostAptSources.description {
            guard format == .deb else { throw entry.error("mirrors", "apt has no sources of RPMs", at: node) }
            return .hostAptSources
        }
        if let reason = fault(of: text) { throw entry.error("mirrors", reason, at: node) }
        return .address(text)
    }

    /// Why a text is no address of a mirror; nil when it is one.
    private static func fault(of text: String) -> String? {
        let isPrintable = text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value < 0x7f }
        let isFolder = text.hasPrefix("/") || text.hasPrefix("file:///")
        guard isPrintable || isFolder, !text.isEmpty,
            text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f })
        else { return "'\(printable(text))' is no mirror: it is empty or has characters that no address has" }
        guard !text.split(separator: "/").contains("..") else { return "'\(text)' must not lead upwards with '..'" }
        guard !isFolder else { return nil }
        guard let scheme = schemes.first(where: text.hasPrefix) else {
            return "'\(hidingPassword(text))' is no mirror; write a URL (http, https, rsync, ftp, file), an absolute "
                + "path, or host-apt-sources"
        }
        let authority = text.dropFirst(scheme.count).prefix { $0 != "/" }
        guard !authority.contains("@") else {
            return "'\(hidingPassword(text))' carries a user or password, which logs and reports would show; have the "
                + "mirror admit this machine by its address, or fetch into a folder and name that"
        }
        guard let first = authority.first, first != "-", first != ":" else { return "'\(text)' names no host" }
        guard !text.contains("?"), !text.contains("#") else {
            return "'\(text)' must be the address of a folder, without '?' and '#'"
        }
        guard scheme != "rsync://" || text.dropFirst(scheme.count).contains("/") else {
            return "'\(text)' names no module of the rsync server; write rsync://host/module/path"
        }
        return nil
    }

    /// The address without what stands before the `@`.
    private static func hidingPassword(_ text: String) -> String {
        guard let at = text.lastIndex(of: "@") else { return text }
        let scheme = text.firstRange(of: "://").map { text[..<$0.upperBound] } ?? ""
        return scheme + "…" + text[at...]
    }

    private static func printable(_ text: String) -> String {
        String(text.unicodeScalars.prefix(80).map { $0.value < 0x20 || $0.value == 0x7f ? "?" : Character($0) })
    }
}
