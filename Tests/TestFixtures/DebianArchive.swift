import Glibc
import Subprocess
package import SystemPackage

/// A Debian archive in a folder: packages in a pool, their lists, and a table of contents that a key signs.
///
/// It can be mirrored from the folder itself (`file://` or a plain path) or from a web server that serves the folder.
package struct DebianArchive: Sendable {
    package let folder: FilePath
    package let suite: String
    package let architecture: String
    /// A stanza of the list for each package, without the empty line after it.
    package var stanzas: [String] = []
    /// The lines of the list of files, `usr/bin/demo  utils/demo`; without any the archive has no such list.
    package var contents: [String] = []

    /// What a tool said when it did not do its work.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// - Parameters:
    ///   - folder: Where the archive goes; it is made if it is not there.
    ///   - architecture: By dpkg's name: `amd64`.
    package init(in folder: FilePath, suite: String = "bookworm", architecture: String = "amd64") throws {
        self.folder = folder
        self.suite = suite
        self.architecture = architecture
        try Self.makeDirectories(folder)
    }

    /// Adds a package file that exists; the archive has a copy of it.
    ///
    /// - Parameters:
    ///   - package: A `.deb`.
    ///   - fields: Lines that its stanza has beyond the control file, such as `Build-Ids: …`.
    ///   - fileName: `Filename` in the stanza, for archives that lie; nil for the true one.
    /// - Returns: Where the copy is, relative to ``folder``.
    @discardableResult
    package mutating func add(
        _ package: FilePath, fields: [String] = [], fileName: String? = nil
    ) async throws -> String {
        let control = try await Self.tool(["dpkg-deb", "--field", package.string])
        let values = Dictionary(
            control.split(separator: "\n").filter { $0.first != " " }.compactMap { line -> (String, String)? in
                guard let colon = line.firstIndex(of: ":") else { return nil }
                return (String(line[..<colon]), String(line[line.index(after: colon)...].drop { $0 == " " }))
            }, uniquingKeysWith: { first, _ in first })
        let name = values["Package"] ?? "unknown"
        // Epochs do not stand in file names.
        let version = values["Version"]?.split(separator: ":").last ?? "0"
        let place =
            "pool/main/\(name.prefix(1))/\(name)/\(name)_\(version)_\(values["Architecture"] ?? architecture).deb"
        let copy = folder.appending(place)
        try Self.makeDirectories(copy.removingLastComponent())
        _ = try await Self.tool(["cp", package.string, copy.string])
        let bytes = try FolderContents.read(copy).count
        let digest = try await Self.sha256(copy)
        let lines = control.split(separator: "\n").map(String.init) + fields
        stanzas.append(
            (lines + ["Filename: \(fileName ?? place)", "Size: \(bytes)", "SHA256: \(digest)"]).joined(separator: "\n"))
        return place
    }

    /// Adds a package made in memory.
    @discardableResult
    package mutating func add(_ made: MadeDebianPackage, fields: [String] = [], fileName: String? = nil) async throws
        -> String
    {
        let file = try made.write(to: folder, as: "made.deb")
        defer { unlink(file.string) }
        return try await add(file, fields: fields, fileName: fileName)
    }

    /// Adds a package with the files of a directory, packed by dpkg-deb.
    ///
    /// - Parameters:
    ///   - tree: The directory that stands for `/`; a folder `DEBIAN` is added to it.
    ///   - depends: `Depends`, such as `libc6 (>= 2.36)`.
    ///   - buildIDs: `Build-Ids` of a package of debug symbols, in hex; they stand in the list and in the package.
    @discardableResult
    package mutating func addTree(
        _ tree: FilePath, name: String, version: String, depends: String = "", buildIDs: [String] = [],
        section: String = "misc"
    ) async throws -> String {
        var lines = [
            "Package: \(name)", "Version: \(version)", "Architecture: \(architecture)", "Section: \(section)",
            "Priority: optional", "Maintainer: retrace test <test@example.org>",
        ]
        if !depends.isEmpty { lines.append("Depends: \(depends)") }
        if !buildIDs.isEmpty { lines.append("Build-Ids: \(buildIDs.joined(separator: " "))") }
        lines.append("Description: made by a test")
        let control = tree.appending("DEBIAN")
        try Self.makeDirectories(control)
        _ = try FolderContents.write((lines.joined(separator: "\n") + "\n").utf8, to: control.appending("control"))
        let file = folder.appending("built.deb")
        defer { unlink(file.string) }
        _ = try await Self.tool([
            "dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", tree.string, file.string,
        ])
        return try await add(file)
    }

    /// Writes the list of packages and its signed table of contents.
    ///
    /// - Parameters:
    ///   - key: Who signs.
    ///   - date: `Date`, in seconds since the epoch; nil for now.
    ///   - validUntil: `Valid-Until`, in seconds since the epoch.
    ///   - named: What the table of contents says that it is of; nil for ``suite``.
    package func publish(
        signedBy key: SigningKey, date: Int64? = nil, validUntil: Int64? = nil, named: String? = nil
    ) async throws {
        let suiteFolder = folder.appending("dists").appending(suite)
        let listFolder = suiteFolder.appending("main/binary-\(architecture)")
        try Self.makeDirectories(listFolder)
        let plain = try FolderContents.write(
            stanzas.map { $0 + "\n\n" }.joined().utf8, to: listFolder.appending("Packages"))
        _ = try await Self.tool(["xz", "--force", "--keep", "-1", plain.string])
        var lines = [
            "Origin: retrace test", "Suite: stable", "Codename: \(named ?? suite)",
            "Date: \(Self.dateText(date ?? Int64(time(nil))))",
        ]
        if let validUntil { lines.append("Valid-Until: \(Self.dateText(validUntil))") }
        lines += ["Architectures: \(architecture)", "Components: main", "SHA256:"]
        var files = ["main/binary-\(architecture)/Packages", "main/binary-\(architecture)/Packages.xz"]
        if !contents.isEmpty {
            let name = "main/Contents-\(architecture)"
            let list = try FolderContents.write(
                contents.map { $0 + "\n" }.joined().utf8, to: suiteFolder.pushing(FilePath(name)))
            _ = try await Self.tool(["gzip", "--force", "--no-name", list.string])
            files.append("\(name).gz")
        }
        for name in files {
            let file = suiteFolder.pushing(FilePath(name))
            let bytes = try FolderContents.read(file).count
            lines.append(" \(try await Self.sha256(file)) \(bytes) \(name)")
        }
        let release = try FolderContents.write(
            (lines.joined(separator: "\n") + "\n").utf8, to: suiteFolder.appending("Release"))
        try await key.clearSign(release, to: suiteFolder.appending("InRelease"))
    }

    /// A plugin for archives like this one: distribution `debian`, release 12, one repository `main`.
    ///
    /// - Parameters:
    ///   - mirrors: URLs or absolute paths.
    ///   - keyFile: The name of the public key below the folder of keys.
    ///   - debugger: The package that has gdb.
    package static func plugin(
        mirrors: [String], keyFile: String = "test.asc", suite: String = "bookworm", debugger: String = "gdb"
    ) -> String {
        """
        distribution: debian
        display-name: Debian GNU/Linux
        display-release: Debian
        package-format: deb
        versions: [{ version: '12', codename: \(suite) }]
        architectures: [x86_64]
        recognise:
          release-text: ['^Debian GNU/Linux ([0-9]+)']
          os-release: { id: [debian], version: '^([0-9]+)' }
          package: ['[+~]deb([0-9]+)u[0-9]']
          examples: {}
        debugger: { package: \(debugger), executable: /usr/bin/gdb }
        keys: [\(keyFile)]
        repositories:
          - name: main
            suite: $CODENAME
            components: [main]
            mirrors: [\(mirrors.map { "'\($0)'" }.joined(separator: ", "))]

        """
    }

    /// Makes a directory and those above it.
    package static func makeDirectories(_ path: FilePath) throws {
        if mkdir(path.string, 0o755) == 0 || errno == EEXIST { return }
        guard errno == ENOENT else { throw Errno(rawValue: errno) }
        try makeDirectories(path.removingLastComponent())
        try makeDirectories(path)
    }

    private static func sha256(_ file: FilePath) async throws -> String {
        String(try await tool(["sha256sum", "--", file.string]).prefix(64))
    }

    private static func tool(_ command: [String]) async throws -> String {
        let result = try await run(
            .name(command[0]), arguments: Arguments(Array(command.dropFirst())), output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 16))
        guard result.terminationStatus.isSuccess else {
            throw Failure(description: "\(command.joined(separator: " ")): \(result.standardError)")
        }
        return result.standardOutput
    }

    /// `Sat, 11 Jul 2026 10:16:37 UTC`.
    package static func dateText(_ seconds: Int64) -> String {
        var moment = time_t(seconds)
        var parts = tm()
        gmtime_r(&moment, &parts)
        var text = [CChar](repeating: 0, count: 64)
        let count = strftime(&text, text.count, "%a, %d %b %Y %H:%M:%S UTC", &parts)
        return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
