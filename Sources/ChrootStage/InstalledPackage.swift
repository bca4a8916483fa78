import CrashModel
import Distributions
import SystemPackage

/// A package that is installed on this host, by dpkg's own files. Blocking.
struct InstalledPackage {
    let nevra: NEVRA

    /// dpkg's databases are some megabytes; nothing needs more.
    private static let databaseLimit = 64 << 20

    /// nil where dpkg does not know the package, or not as the one that has the program.
    ///
    /// The formats are those of deb-control(5) for `status`, and a path a line for `info/NAME.list`.
    init?(_ debugger: DebuggerPackage, in host: FilePath) {
        let database = host.appending("var/lib/dpkg")
        guard let status = Self.text(database.appending("status")) else { return nil }
        var stanza: [Substring: Substring] = [:]
        var found: NEVRA?
        for line in status.split(separator: "\n", omittingEmptySubsequences: false) {
            guard !line.isEmpty else {
                if found == nil { found = Self.nevra(stanza, of: debugger.package) }
                stanza = [:]
                continue
            }
            for field in ["Package", "Version", "Architecture", "Status"] where line.hasPrefix(field + ": ") {
                stanza[line.prefix(field.count)] = line.dropFirst(field.count + 2)
            }
        }
        guard let nevra = found ?? Self.nevra(stanza, of: debugger.package) else { return nil }
        let lists = [nevra.name, "\(nevra.name):\(nevra.architecture)"]
            .compactMap { Self.text(database.appending("info").appending("\($0).list")) }
        guard lists.contains(where: { $0.split(separator: "\n").contains { $0 == debugger.executable } }) else {
            return nil
        }
        self.nevra = nevra
    }

    private static func nevra(_ stanza: [Substring: Substring], of name: String) -> NEVRA? {
        guard let package = stanza["Package"], package == name, stanza["Status"]?.hasSuffix(" installed") == true,
            let version = stanza["Version"], let architecture = stanza["Architecture"]
        else { return nil }
        return try? NEVRA(name: package, debianVersion: version, architecture: architecture)
    }

    private static func text(_ path: FilePath) -> String? {
        guard let file = try? FileDescriptor.open(path, .readOnly, options: [.closeOnExec]) else { return nil }
        defer { try? file.close() }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        while let count = try? chunk.withUnsafeMutableBytes({ try file.read(into: $0) }), count > 0 {
            bytes += chunk[..<count]
            guard bytes.count <= databaseLimit else { return nil }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
