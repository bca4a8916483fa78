import GatewayAPI
import Glibc
import HTTPTypes
import HummingbirdTesting
import SystemPackage
import TestFixtures
import Testing

@Suite struct RepositoriesTests {
    private static func run(
        _ body: @escaping @Sendable (any TestClientProtocol) async throws -> Void
    ) async throws {
        try await ScratchDirectory.with { repositories in
            let mirror = repositories.appending("fedora-40-x86_64")
            try DebianArchive.makeDirectories(mirror.appending("pool/b"))
            try FolderContents.write("package".utf8, to: mirror.appending("pool/b/bash-5.2-1.fc40.x86_64.rpm"))
            try FolderContents.write("half".utf8, to: mirror.appending("pool/x.partial"))
            try FolderContents.write("secret".utf8, to: mirror.appending("index.sqlite"))
            try FolderContents.write("secret".utf8, to: repositories.appending("outside"))
            for (name, target) in [("pool/link", "/etc/passwd"), ("pool/folder", "/etc")] {
                try #require(symlink(target, mirror.appending(name).string) == 0)
            }
            try await GatewayBench.run(extras: .init(repositories: repositories)) { _, client in try await body(client)
            }
        }
    }

    @Test func packagesAreListedAndFetchedWithRanges() async throws {
        try await Self.run { client async throws in
            #expect(try await client.get("/repos").text.contains("<a href=\"/repos/fedora-40-x86_64\">"))
            #expect(try await client.get("/repos/fedora-40-x86_64").text.contains("/pool\">pool</a>"))
            let folder = try await client.get("/repos/fedora-40-x86_64/pool/b").text
            #expect(folder.contains("bash-5.2-1.fc40.x86_64.rpm</a>"))
            let file = "/repos/fedora-40-x86_64/pool/b/bash-5.2-1.fc40.x86_64.rpm"
            #expect(try await client.get(file).text == "package")
            let part = try await client.execute(uri: file, method: .get, headers: [.range: "bytes=0-3"]) { $0 }
            #expect(part.status.code == 206 && part.text == "pack")
            #expect(try await client.get(file, method: .post).status.code == 405)
        }
    }

    @Test func folderHasAFinalSlashOrNoneAndAFileNone() async throws {
        try await Self.run { client async throws in
            for path in ["/repos", "/repos/fedora-40-x86_64", "/repos/fedora-40-x86_64/pool/b"] {
                let (without, with) = (try await client.get(path), try await client.get(path + "/"))
                #expect(with.status == .ok && with.text == without.text, "\(path)")
                #expect(try await client.get(path + "//").status == .notFound)
            }
            let file = "/repos/fedora-40-x86_64/pool/b/bash-5.2-1.fc40.x86_64.rpm"
            #expect(try await client.get(file + "/").status == .notFound)
            #expect(try await client.get("/settings/").status == .notFound)
            #expect(try await client.get("/repository/").status == .notFound)
        }
    }

    @Test(arguments: [
        "/repos/fedora-40-x86_64/index.sqlite", "/repos/outside", "/repos/fedora-40-x86_64/pool/link",
        "/repos/fedora-40-x86_64/pool/folder", "/repos/fedora-40-x86_64/pool/folder/passwd",
        "/repos/fedora-40-x86_64/pool/x.partial", "/repos/fedora-40-x86_64/pool/..%2findex.sqlite",
        "/repos/fedora-40-x86_64/pool/../index.sqlite", "/repos/..%2f..%2fetc/passwd", "/repos/%2e%2e/etc",
        "/repos/fedora-40-x86_64/pool/%zz", "/repos/fedora-40-x86_64/pool/%00", "/repos//etc/passwd",
    ])
    func nothingElseIsShown(path: String) async throws {
        try await Self.run { client async throws in
            let response = try await client.get(path)
            #expect(response.status.code == 404 && !response.text.contains("secret"))
        }
    }

    @Test func theyAreHiddenUnlessTheOperatorAllowsThem() async throws {
        try await GatewayBench.run { _, client async throws in
            #expect(try await client.get("/repos").status.code == 403)
            #expect(try await client.get("/repos/fedora-40-x86_64/pool").status.code == 403)
        }
    }
}
