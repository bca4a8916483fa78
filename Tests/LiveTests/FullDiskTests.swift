import CrashModel
import JobMessages
import Sandbox
import SystemPackage
import TestFixtures
import Testing

extension LiveTests {
    /// reposync on a file system of four megabytes, which it has to itself.
    @Suite("The mirror's disk is full")
    struct FullDiskTests {
        @Test func synchronisationSaysSoAndTheLastIndexStaysInService() async throws {
            let stack = try runningStack()
            let folder = stack.directory.appending("small")
            let key = try await SigningKey()
            do {
                try await check(stack, folder, key)
            } catch {
                try await key.remove()
                throw error
            }
            try await key.remove()
        }

        private func check(_ stack: Stack, _ folder: FilePath, _ key: SigningKey) async throws {
            for name in ["plugins-first", "plugins-archive", "keys", "disk"] {
                try DebianArchive.makeDirectories(folder.appending(name))
            }
            try FolderContents.write(key.publicKey, to: folder.appending("keys/test.asc"))
            var archive = try DebianArchive(in: folder.appending("archive"))
            try await archive.add(MadeDebianPackage("gdb", version: "1"))
            try await archive.publish(signedBy: key, date: 1_700_000_000)
            try await MadeRelease.shell("cp -a archive first", in: folder)
            var large = MadeDebianPackage("large", version: "1")
            large.add("/usr/share/large", (0..<(8 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ ($0 >> 9)) })
            try await archive.add(large)
            try await archive.publish(signedBy: key, date: 1_700_000_100)
            let job = ReposyncJob(
                releaseID: try ReleaseID("debian-12-x86_64"), packages: [], withClosure: true, requestedBy: "a test")
            try FolderContents.write(try JobCoding.encode(job), to: folder.appending("job.json"))
            for name in ["first", "archive"] {
                try FolderContents.write(
                    DebianArchive.plugin(mirrors: [folder.appending(name).string]).utf8,
                    to: folder.appending("plugins-\(name)/debian.yaml"))
            }
            let reposync = Stack.products.appending("reposync")
            let result = try await runTool([
                "unshare", "--map-root-user", "--mount", "sh", "-ec",
                """
                cd '\(folder)'
                mount -t tmpfs -o size=4m none disk
                run() {
                    '\(reposync)' --job job.json --repositories "$PWD/disk" --plugins "$PWD/plugins-$1" --keys "$PWD/keys"
                }
                run first
                before=$(stat -c %i disk/debian-12-x86_64/index.sqlite)
                if run archive; then echo "it went well"; exit 1; fi
                test "$before" = "$(stat -c %i disk/debian-12-x86_64/index.sqlite)"
                cat disk/debian-12-x86_64/sync.json
                """,
            ])
            let output = String(decoding: result.standardOutput, as: UTF8.self)
            let errors = String(decoding: result.standardError, as: UTF8.self)
            try #require(result.succeeded, "\(output) \(errors)")
            #expect(errors.contains("disk-full") && errors.contains("Make room where the mirrors lie"), "\(errors)")
            #expect(output.contains("No space left on device"), "\(output)")
        }
    }
}
