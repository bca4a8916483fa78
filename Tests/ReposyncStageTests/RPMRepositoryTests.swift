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
        VERSION
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

    func tool(_ command: [String]) async throws {
        let result = try await Subprocess.run(
            .name(command[0]), arguments: Arguments(Array(command.dropFirst())), output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20))
        try #require(result.terminationStatus.isSuccess, "\(command): \(result.standardError)")
    }

    /// - Parameter version: `[epoch:]version`.
    func make(
        _ name: String, version: String = "1.0", requires: String = "", in folder: FilePath
    ) async throws {
        let parts = version.split(separator: ":")
        let identity = (parts.count > 1 ? "Epoch: \(parts[0])\n" : "") + "Version: \(parts[parts.count - 1])"
        var text = Self.spec.split(separator: "NAME", omittingEmptySubsequences: false).joined(separator: name)
        text = text.split(separator: "REQUIRES\n", omittingEmptySubsequences: false)
            .joined(separator: requires.isEmpty ? "" : "Requires: \(requires)\n")
        text = text.split(separator: "VERSION", omittingEmptySubsequences: false).joined(separator: identity)
        let file = try FolderContents.write(text.utf8, to: folder.appending("\(name).spec"))
        try await tool([
            "rpmbuild", "-bb", "--quiet", "--define", "_topdir \(folder)/build", "--define", "_rpmdir \(folder)/repo",
            "--define", "_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm", file.string,
        ])
    }

    func sync(
        _ folder: FilePath, _ packages: [String], gpgcheck: Bool = true, more: String = "", at: String? = nil,
        limits: SyncLimits = SyncLimits()
    ) async throws -> SyncReport {
        try writePlugin(folder, gpgcheck: gpgcheck, more: more, at: at)
        return try await synchronise(
            SyncRequest(releaseID: try ReleaseID("fedora-40-x86_64"), packages: packages), catalog: try catalog(folder),
            repositories: folder.appending("mirror"), limits: limits
        ) { _ in }
    }

    func writePlugin(
        _ folder: FilePath, gpgcheck: Bool = true, more: String = "", at: String? = nil, kernel: String = ""
    ) throws {
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
            keys: [\(kernel.isEmpty ? "test.asc" : "test.asc, kernel.asc")]
            repositories:
              - { name: everything, mirrors: ['\(at ?? "\(folder)/repo")'], gpgcheck: \(gpgcheck)\(more) }
            \(kernel)

            """
        try FolderContents.write(plugin.utf8, to: folder.appending("plugins/fedora.yaml"))
    }

    func catalog(_ folder: FilePath) throws -> DistributionCatalog {
        try DistributionCatalog(plugins: folder.appending("plugins"), keys: folder.appending("keys"))
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
            let quiet = try #require(SyncStatus(of: try self.mirror(folder)))
            #expect(quiet.refused == ["unsigned-1.0-1.fc40.noarch"] && quiet.unsignedRepositories == [])
            // Doing nothing anew forgets nothing.
            _ = try await sync(folder, [])
            #expect(try SyncStatus(of: self.mirror(folder))?.refused == ["unsigned-1.0-1.fc40.noarch"])
            let loud = try await sync(folder, [], gpgcheck: false)
            #expect(loud.downloadedCount == 1 && loud.index.packageCount == 3)
            #expect(loud.remarks.contains { $0.contains("UNSIGNED") })
            let mirror = MirrorDirectory(try ReleaseID("fedora-40-x86_64"), in: folder.appending("mirror"))
            let index = try #require(try PackageIndex(mirror))
            let package = try #require(try index.packages(named: "bottom").first)
            #expect(package.source.name == "bottom" && package.location.hasPrefix("pool/"))
            #expect(FolderContents.status(try mirror.file(at: package.location)) != nil)
            let status = try #require(SyncStatus(of: mirror))
            #expect(status.packageCount == 3 && status.byteCount > 0)
            #expect(status.unsignedRepositories == ["everything"] && status.refused == [])
        }
    }

    /// A folder with a key, and signed packages described at a time of the test's choice.
    func prepare(_ names: [String], in folder: FilePath, at time: Int = 1_700_000_000) async throws {
        let key = try await SigningKey(rsa: true)
        for name in ["plugins", "keys", "repo"] { try DebianArchive.makeDirectories(folder.appending(name)) }
        try FolderContents.write(key.publicKey, to: folder.appending("keys/test.asc"))
        for name in names {
            try await make(name, in: folder)
            try await tool([
                "rpmsign", "--addsign", "--define", "_gpg_name test@example.org", "--define", "__gpg /usr/bin/gpg",
                "--define", "_gpg_path \(key.home)", "\(folder)/repo/\(name)-1.0-1.fc40.noarch.rpm",
            ])
        }
        try await key.remove()
        try await describe(folder, at: time)
    }

    func describe(_ folder: FilePath, at time: Int) async throws {
        try await tool([
            "createrepo_c", "--quiet", "--revision", String(time), "--set-timestamp-to-revision", "\(folder)/repo",
        ])
    }

    /// Makes `repomd.xml` anew for a list of packages that a test wrote itself.
    ///
    /// - Parameter name: Of the file in `repo/repodata`.
    func announce(_ name: String, in folder: FilePath, at time: Int = 1_700_000_000) async throws {
        try await tool([
            "sh", "-ec",
            """
            cd '\(folder)/repo/repodata'
            cat > repomd.xml << END
            <?xml version="1.0" encoding="UTF-8"?>
            <repomd xmlns="http://linux.duke.edu/metadata/repo"><revision>1</revision>
            <data type="primary"><checksum type="sha256">$(sha256sum \(name) | cut -d ' ' -f 1)</checksum>
            <location href="repodata/\(name)"/><timestamp>\(time)</timestamp><size>$(stat -c %s \(name))</size></data></repomd>
            END
            """,
        ])
    }

    func mirror(_ folder: FilePath) throws -> MirrorDirectory {
        MirrorDirectory(try ReleaseID("fedora-40-x86_64"), in: folder.appending("mirror"))
    }

    @Test func unchangedRepositoryLeavesTheIndexAsItIs() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top"], in: folder)
            let first = try await sync(folder, [])
            let before = FolderContents.status(try mirror(folder).index)?.inode
            let second = try await sync(folder, [])
            #expect(second.downloadedCount == 0 && second.index == first.index)
            #expect(try before != nil && FolderContents.status(mirror(folder).index)?.inode == before)
            try await make("other", in: folder)
            try await describe(folder, at: 1_700_000_001)
            _ = try await sync(folder, [])
            #expect(FolderContents.status(try mirror(folder).index)?.inode != before)
        }
    }

    @Test func folderOfPackagesWithoutMetadataIsIndexedByTheirHeaders() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top"], in: folder)
            try await make("unsigned", in: folder)
            try await tool(["rm", "-r", "\(folder)/repo/repodata"])
            let report = try await sync(folder, [])
            #expect(report.downloadedCount == 1 && report.refused == ["unsigned-1.0-1.fc40.noarch"], "\(report)")
            // The same folder again is left alone, and nothing was written into it.
            let before = FolderContents.status(try mirror(folder).index)?.inode
            _ = try await sync(folder, [])
            #expect(try before != nil && FolderContents.status(mirror(folder).index)?.inode == before)
            #expect(!FolderContents.names(in: folder.appending("repo")).contains("repodata"))
            // A package more is seen, though no metadata says so.
            try await make("vendor", in: folder)
            let more = try await sync(folder, [], gpgcheck: false)
            #expect(more.index.packageCount == 3)
        }
    }

    @Test func emptyFolderIsNoMirrorAndTheNextOneIsAsked() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top"], in: folder)
            try DebianArchive.makeDirectories(folder.appending("empty/Packages"))
            let report = try await sync(folder, [], at: "\(folder)/empty', '\(folder)/repo")
            #expect(report.index.packageCount == 1)
            let error = await #expect(throws: StageError.self) {
                _ = try await sync(folder, [], at: "\(folder)/empty")
            }
            #expect(error?.reason.contains("neither repodata nor packages") == true, "\(error as Any)")
            let distribution = try #require(try catalog(folder).distribution(named: "fedora"))
            await probeMirrors(of: distribution, for: try ReleaseID("fedora-40-x86_64"), limits: SyncLimits()) {
                probe in
                guard case .failed = probe.answer else {
                    Issue.record("\(probe)")
                    return
                }
            }
        }
    }

    /// A repository may replace a package without a new version; crashes of the old build are still to be read.
    @Test func rebuiltPackageOfTheSameVersionStandsBesideTheOldOne() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top"], in: folder)
            _ = try await sync(folder, [], gpgcheck: false)
            try await make("top", requires: "something", in: folder)
            try await describe(folder, at: 1_700_000_001)
            let report = try await sync(folder, [], gpgcheck: false)
            #expect(report.downloadedCount == 1)
            let packages = try #require(try PackageIndex(mirror(folder))).packages(named: "top")
            #expect(packages.count == 2 && Set(packages.map(\.nevra)).count == 1)
            for package in packages { #expect(try mirror(folder).hasFile(at: package.location)) }
        }
    }

    @Test func lostPackageFileIsFetchedAgainThoughNothingChanged() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top"], in: folder)
            _ = try await sync(folder, [])
            let index = try #require(try PackageIndex(mirror(folder)))
            let package = try #require(try index.packages(named: "top").first)
            try FolderContents.remove(try mirror(folder).file(at: package.location))
            #expect(try await sync(folder, []).downloadedCount == 1)
        }
    }

    @Test func refusedPackageIsNotFetchedAgainUntilTheKeysChange() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top"], in: folder)
            try await make("unsigned", in: folder)
            try await describe(folder, at: 1_700_000_001)
            #expect(try await sync(folder, []).remarks.contains { $0.contains("unsigned-1.0") })
            // A second fetch would fail: the mirror has lost it.
            try FolderContents.remove(folder.appending("repo/unsigned-1.0-1.fc40.noarch.rpm"))
            let again = try await sync(folder, ["unsigned"])
            #expect(again.remarks.contains { $0.contains("unsigned-1.0-1.fc40.noarch has no good signature") })
            #expect(try PackageIndex(mirror(folder))?.packages(named: "unsigned") == [])

            let other = try await SigningKey(rsa: true)
            try FolderContents.write(other.publicKey, to: folder.appending("keys/test.asc"))
            try await other.remove()
            await #expect(throws: StageError.self) { _ = try await sync(folder, ["unsigned"]) }
        }
    }

    @Test func packageSignedByAStrangerIsNeverInThePoolOrTheIndex() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top"], in: folder)
            // The plugin's key is another one than that which signed.
            let other = try await SigningKey(rsa: true)
            try FolderContents.write(other.publicKey, to: folder.appending("keys/test.asc"))
            try await other.remove()
            let report = try await sync(folder, [])
            #expect(report.remarks.contains { $0.contains("top-1.0-1.fc40.noarch has no good signature") })
            #expect(report.index.packageCount == 0 && report.downloadedCount == 0)
            let found = try await Subprocess.run(
                .name("find"), arguments: [try mirror(folder).pool.string, "-type", "f"], output: .string(limit: 65536))
            #expect(found.standardOutput == "")
        }
    }

    @Test func replayedMetadataIsRefusedAndTheIndexStays() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top"], in: folder)
            try await tool(["cp", "-r", "\(folder)/repo/repodata", "\(folder)/old"])
            try await describe(folder, at: 1_700_100_000)
            let good = try await sync(folder, [])
            try await tool(["rm", "-r", "\(folder)/repo/repodata"])
            try await tool(["cp", "-r", "\(folder)/old", "\(folder)/repo/repodata"])
            do {
                _ = try await sync(folder, [])
                Issue.record("the old metadata was taken")
            } catch let error as StageError {
                #expect(error.reason.contains("a replay") && error.reason.contains("2023-11-14"), "\(error)")
            }
            #expect(try PackageIndex(mirror(folder))?.summary == good.index)
            #expect(SyncStatus(of: try mirror(folder))?.failure != nil)
        }
    }

    @Test func metadataThatLeadsOutOfTheRepositoryIsLeftOut() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top"], in: folder)
            try await tool(["cp", "\(folder)/repo/top-1.0-1.fc40.noarch.rpm", "\(folder)/outside.rpm"])
            try await tool([
                "sh", "-ec",
                """
                cd '\(folder)/repo/repodata'
                for file in *-primary.xml.gz; do
                    gzip -dc "$file" | sed 's,href="top-,href="../repo/top-,' > primary.xml
                done
                rm *.gz *.bz2 repomd.xml
                """,
            ])
            try await announce("primary.xml", in: folder)
            let report = try await sync(folder, [])
            #expect(report.remarks.contains { $0.contains("no usable location") }, "\(report)")
            #expect(report.downloadedCount == 0 && report.index.packageCount == 0)
        }
    }

    @Test func releaseThatRollsKeepsItsNewestVersionsAndEveryOtherAll() async throws {
        try await ScratchDirectory.with { folder in
            for name in ["plugins", "keys", "repo"] { try DebianArchive.makeDirectories(folder.appending(name)) }
            try FolderContents.write([], to: folder.appending("keys/test.asc"))
            for (number, version) in ["1.9", "1.10", "1:0.5"].enumerated() {
                try await make("top", version: version, in: folder)
                try await make("side", version: "\(number)", in: folder)
                try await describe(folder, at: 1_700_000_000 + number)
                _ = try await sync(folder, [], gpgcheck: false)
                try await tool(["sh", "-c", "rm '\(folder)'/repo/*.rpm"])
            }
            let all = try #require(try PackageIndex(mirror(folder)))
            #expect(try all.packages(named: "top").count == 3 && all.packages(named: "side").count == 3)

            try await make("top", version: "1:0.6", in: folder)
            try await describe(folder, at: 1_700_000_009)
            let report = try await sync(folder, [], gpgcheck: false, more: ", keep: 2")
            #expect(report.remarks.contains { $0.contains("gave way to newer versions") })
            let kept = try #require(try PackageIndex(mirror(folder)))
            // An epoch weighs more than all that follows it, and ten is more than nine.
            #expect(Set(try kept.packages(named: "top").map(\.nevra.versionText)) == ["1:0.6-1.fc40", "1:0.5-1.fc40"])
            #expect(Set(try kept.packages(named: "side").map(\.nevra.version)) == ["1", "2"])
            let files = try await Subprocess.run(
                .name("find"), arguments: [try mirror(folder).pool.string, "-name", "*.rpm"],
                output: .string(limit: 65536))
            #expect(files.standardOutput.split(separator: "\n").count == 4)
        }
    }
}
