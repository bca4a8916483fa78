import Subprocess
package import SystemPackage

/// RPMs made by the host's own rpmbuild, and repositories of them: real packages for tests that want no others' data.
///
/// The macros are those that decide the shape of Fedora's packages: build-id links in the binary packages, one debuginfo
/// package for each, debugsource, and a file that the debug files of a build share (dwz).
package struct RPMWorkshop: Sendable {
    /// Everything is below it; the packages come to lie in ``packages``.
    package let directory: FilePath

    package var packages: FilePath { directory.appending("RPMS") }

    /// What a tool said when it did not do its work.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package init(in directory: FilePath) throws {
        self.directory = directory
        for name in ["BUILD", "RPMS", "SOURCES"] { try DebianArchive.makeDirectories(directory.appending(name)) }
        try FolderContents.write(Self.macros.utf8, to: directory.appending("macros"))
    }

    /// Builds the binary packages of a spec file.
    ///
    /// - Parameters:
    ///   - spec: Its text.
    ///   - name: Of the file, without its ending; builds under different names may run at once.
    ///   - definitions: Macros for it.
    /// - Returns: The packages.
    @discardableResult
    package func build(
        _ spec: String, as name: String, definitions: [String: String] = [:]
    ) async throws -> [FilePath] {
        let top = directory.appending("tops").appending(name)
        try DebianArchive.makeDirectories(top.appending("BUILD"))
        let file = try FolderContents.write(spec.utf8, to: directory.appending("\(name).spec"))
        var arguments = [
            "rpmbuild", "-bb", "--nodeps", "--load", directory.appending("macros").string, "--define",
            "_topdir \(top)", "--define", "_sourcedir \(directory.appending("SOURCES"))", "--define",
            "_rpmdir \(top.appending("RPMS"))", "--define",
            "_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
        ]
        for (macro, value) in definitions { arguments += ["--define", "\(macro) \(value)"] }
        try await Self.tool(arguments + [file.string])
        var made: [FilePath] = []
        for package in FolderContents.names(in: top.appending("RPMS")).sorted() {
            let place = packages.appending(package)
            try await Self.tool(["mv", top.appending("RPMS").appending(package).string, place.string])
            made.append(place)
        }
        return made
    }

    /// Makes a package of a tree of files as they are, with build-id links as Fedora's packages have them.
    ///
    /// - Parameter tags: Lines of the preamble, such as `Requires: glibc = 2.36`.
    @discardableResult
    package func pack(
        _ tree: FilePath, as name: String, version: String, release: String = "1.fc40", architecture: String = "x86_64",
        tags: [String] = []
    ) async throws -> FilePath {
        let text = """
            %global __strip /bin/true
            %global debug_package %{nil}
            Name: \(name)
            Version: \(version)
            Release: \(release)
            Summary: files of a test
            License: that of the files
            AutoReqProv: no
            \(tags.joined(separator: "\n"))
            %description
            files of a test
            %install
            mkdir -p %{buildroot}
            cp -a \(tree)/. %{buildroot}/
            cd %{buildroot}
            find . -type f -name '*.so*' -exec chmod 755 {} +
            find . \\( -type f -o -type l \\) | sed 's,^\\.,,; s,.*,"&",' > %{_builddir}/files
            %files -f %{_builddir}/files

            """
        let made = try await build(
            text, as: "\(name)-\(version)-\(release)", definitions: ["_target_cpu": architecture])
        guard let file = made.first else { throw Failure(description: "rpmbuild made no package of \(name)") }
        return file
    }

    /// Signs packages in their place.
    package func sign(_ packages: [FilePath], with key: SigningKey) async throws {
        try await Self.tool(
            [
                "rpmsign", "--addsign", "--define", "_gpg_name test@example.org", "--define", "__gpg /usr/bin/gpg",
                "--define", "_gpg_path \(key.home)",
            ] + packages.map(\.string))
    }

    /// Writes `repodata` for the packages that lie in a folder.
    package static func describe(_ folder: FilePath, options: [String] = []) async throws {
        try await tool(["createrepo_c", "--quiet"] + options + [folder.string])
    }

    /// Unpacks packages into a tree, as if they were installed without any script.
    package static func unpack(_ packages: [FilePath], into tree: FilePath) async throws {
        try DebianArchive.makeDirectories(tree)
        for package in packages {
            try await tool([
                "sh", "-c", "rpm2archive -n - < \"$1\" | tar -x -C \"$2\" --keep-directory-symlink", "sh",
                package.string, tree.string,
            ])
        }
    }

    @discardableResult
    static func tool(_ command: [String]) async throws -> String {
        let result = try await run(
            .name(command[0]), arguments: Arguments(Array(command.dropFirst())),
            output: .string(limit: 16 << 20), error: .string(limit: 16 << 20))
        guard result.terminationStatus.isSuccess else {
            throw Failure(description: "\(command): \(result.terminationStatus): \(result.standardError.suffix(4000))")
        }
        return result.standardOutput
    }

    private static let macros = """
        %_build_id_links compat
        %_enable_debug_packages 1
        %_unique_build_ids 1
        %_unique_debug_names 1
        %_unique_debug_srcs 1
        %_debugsource_packages 1
        %_debuginfo_subpackages 1
        %_missing_build_ids_terminate_build 1
        %_find_debuginfo_dwz_opts --run-dwz --dwz-low-mem-die-limit 10000000 --dwz-max-die-limit 50000000
        %_binary_payload w1.zstdio
        %_buildhost test
        %optflags -O0 -g -Wl,--build-id=sha1
        %__spec_install_post %{?__debug_package:%{__debug_install_post}}%{__os_install_post}
        %__os_install_post %{nil}
        %install %{?_enable_debug_packages:%{?buildsubdir:%{debug_package}}}\\
        %%install\\
        %{nil}

        """
}
