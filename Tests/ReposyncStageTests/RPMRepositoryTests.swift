import CrashModel
import Distributions
import Packages
import ReposyncStage
import Subprocess
import SystemPackage
import TestFixtures
import Testing

@Suite struct RPMDirectory {
    private static let spec = """
        Name: NAME
        Version: 1.0
        Release: 1.fc40
        Summary: made by a test
        License: MIT
        BuildArch: noarch
        REQUIRES
        %description
        made by a test
        %install
        mkdir -p %{buildroot}/usr/share/NAME
        echo NAME > %{buildroot}/usr/share/NAME/text
        %files
        /usr/share/NAME

        """

    private func tool(_ command: [String]) async throws {
        let result = try await Subprocess.run(
            .name(command[0]), arguments: Arguments(Array(command.dropFirst())), output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20))
        try #require(result.terminationStatus.isSuccess, "\(command): \(result.standardError)")
    }

    private func make(_ name: String, requires: String = "", in folder: FilePath) async throws {
        var text = Self.spec.split(separator: "NAME", omittingEmptySubsequences: false).joined(separator: name)
        text = text.split(separator: "REQUIRES\n", omittingEmptySubsequences: false)
            .joined(separator: requires.isEmpty ? "" : "Requires: \(requires)\n")
        let file = try FolderContents.write(text.utf8, to: folder.appending("\(name).spec"))
        try await tool([
            "rpmbuild", "-bb", "--quiet", "--define", "_topdir \(folder)/build", "--define", "_rpmdir \(folder)/repo",
            "--define", "_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm", file.string,
        ])
    }

    private func sync(_ folder: FilePath, _ packages: [String], gpgcheck: Bool = true) async throws -> SyncReport {
        let plugin = """
            distribution: fedora
            display-name: Fedora Linux
            package-format: rpm
            versions: ['40']
            architectures: [x86_64]
            recognise:
              release-text: ['^Fedora release ([0-9]+)']
              os-release: { id: [fedora], version: '^([0-9]+)' }
              package: ['\\.fc([0-9]+)']
              examples: {}
            debugger: { package: top, executable: /usr/bin/gdb }
            keys: [test.asc]
            repositories:
              - { name: everything, mirrors: ['\(folder)/repo'], gpgcheck: \(gpgcheck) }

            """
        try FolderContents.write(plugin.utf8, to: folder.appending("plugins/fedora.yaml"))
        let catalog = try DistributionCatalog(plugins: folder.appending("plugins"), keys: folder.appending("keys"))
        return try await synchronise(
            SyncRequest(releaseID: try ReleaseID("fedora-40-x86_64"), packages: packages), catalog: catalog,
            repositories: folder.appending("mirror")
        ) { _ in }
    }

    @Test func signedPackagesAreMirroredAndUnsignedOnesAreLeftOutByName() async throws {
        try await ScratchDirectory.with { folder in
            let key = try await SigningKey(rsa: true)
            for name in ["plugins", "keys", "repo"] { try DebianArchive.makeDirectories(folder.appending(name)) }
            try FolderContents.write(key.publicKey, to: folder.appending("keys/test.asc"))
            try await make("top", requires: "bottom", in: folder)
            try await make("bottom", in: folder)
            let signing = ["--define", "__gpg /usr/bin/gpg", "--define", "_gpg_path \(key.home)"]
            try await tool(
                ["rpmsign", "--addsign", "--define", "_gpg_name test@example.org"] + signing
                    + ["\(folder)/repo/top-1.0-1.fc40.noarch.rpm", "\(folder)/repo/bottom-1.0-1.fc40.noarch.rpm"])
            try await make("unsigned", in: folder)
            try await tool(["createrepo_c", "--quiet", "\(folder)/repo"])
            try await key.remove()

            let first = try await sync(folder, ["top"])
            #expect(first.downloadedCount == 2 && first.index.packageCount == 2)
            let all = try await sync(folder, [])
            #expect(all.downloadedCount == 0 && all.index.packageCount == 2)
            #expect(all.remarks.contains { $0.contains("unsigned-1.0-1.fc40.noarch has no good signature") })
            let loud = try await sync(folder, [], gpgcheck: false)
            #expect(loud.downloadedCount == 1 && loud.index.packageCount == 3)
            #expect(loud.remarks.contains { $0.contains("UNSIGNED") })
            let mirror = MirrorDirectory(try ReleaseID("fedora-40-x86_64"), in: folder.appending("mirror"))
            let index = try #require(try PackageIndex(mirror))
            let package = try #require(try index.packages(named: "bottom").first)
            #expect(package.source.name == "bottom" && package.location.hasPrefix("pool/"))
            #expect(FolderContents.status(try mirror.file(at: package.location)) != nil)
        }
    }
}
