import CrashModel
import GatewayAPI
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing

@Suite struct CheckPackageTests {
    private static func headers(_ package: String?, _ arch: String?, _ release: String?) throws -> HTTPFields {
        var headers = HTTPFields()
        for (name, value) in [("X-Package-NVR", package), ("X-Package-Arch", arch), ("X-OS-Release", release)] {
            headers[try #require(HTTPField.Name(name))] = value
        }
        return headers
    }

    /// The rows of the fact sheet's `/checkpackage`, in its order of checks.
    @Test(
        arguments: [
            (nil, nil, nil, 403), ("bash", nil, nil, 403), ("bash 1-1", nil, "x", 403),
            ("bash-1$-1", "x86_64", nil, 403),
            ("bash-5-1", nil, nil, 403), ("bash-5-1", "", nil, 403), ("bash-5-1", "x86-64", nil, 403),
            ("bash-5-1", "v\u{e4}x", nil, 403), ("bash-5-1", "vax", "fedora", 403),
            ("bash-5-1", "x86_64", "fedora", 403),
            ("bash-5-1", "x86_64", "fedora--x86_64", 403), ("bash-5-1", "x86_64", nil, 302),
            ("bash-5-1", "x86_64", "fedora-40-x86_64", 302), ("bash-6-1", "x86_64", nil, 404),
            ("libfoo-1^git-1.fc35", "x86_64", nil, 404), ("vim-2:8.0-1.el8_5", "i686", nil, 404),
            ("bash-5-1", "x86_64", "CentOS Stream-9-x86_64", 302), ("bash-6-1", "vax", nil, 404),
            ("bash-6-1", "noarch", "fedora-40-x86_64", 404), ("bash-5-1", "noarch", nil, 302),
        ] as [(String?, String?, String?, Int)])
    func everyRowHasItsStatusAndKnownOnesNoLocation(
        _ package: String?, _ arch: String?, _ release: String?, _ status: Int
    ) async throws {
        try await GatewayBench.run(extras: .init(knowsPackage: { $0.package == "bash-5-1" })) { _, client in
            let response = try await client.execute(
                uri: "/checkpackage", method: .get, headers: try Self.headers(package, arch, release)
            ) { $0 }
            #expect(response.status.code == status)
            #expect(response.headers[.location] == nil)
            #expect(response.isWellFormed())
            #expect((response.body.readableBytes == 0) == (status != 403))
        }
    }

    @Test(arguments: [
        ("bash-5.2.15-2", "bash", 0, "5.2.15", "2", "x86_64", "x86_64", true),
        ("bash-0:5.2.15-2", "bash", 0, "5.2.15", "2", "x86_64", "x86_64", true),
        ("vim-2:8.0-1.el8", "vim", 2, "8.0", "1.el8", "x86_64", "x86_64", true),
        ("vim-8.0-1.el8", "vim", 2, "8.0", "1.el8", "x86_64", "x86_64", true),
        ("vim-1:8.0-1.el8", "vim", 2, "8.0", "1.el8", "x86_64", "x86_64", false),
        ("python3-dnf-4.14-1.fc38", "python3-dnf", 0, "4.14", "1.fc38", "noarch", "x86_64", true),
        ("dash-in-name-1-2-3", "dash-in-name", 0, "1-2", "3", "amd64", "x86_64", true),
        ("native-1.0", "native", 0, "1.0", "", "amd64", "x86_64", true),
        ("bash-5.2.15-2", "bash", 0, "5.2.15", "3", "x86_64", "x86_64", false),
        ("bash-5.2.15-2", "bash", 0, "5.2.15", "2", "i686", "x86_64", false),
        ("bash-5.2.15-2", "bash", 0, "5.2.15", "2", "i686", "i386", true),
        ("bash-5.2.15-2", "bash", 0, "5.2.15", "2", "x86_64", "vax", false),
        ("bash-5.2.15-2", "bash", 0, "5.2.15", "2", "vax", "vax", true),
        ("tzdata-2026a-1", "tzdata", 0, "2026a", "1", "noarch", "noarch", true),
        ("tzdata-2026a-1", "tzdata", 0, "2026a", "1", "noarch", "vax", false),
        ("bash-5.2.15-2", "bash", 0, "5.2.15", "2", "x86_64", "noarch", false),
    ])
    func packageIsTheOneThatWasAskedFor(
        _ asked: String, _ name: String, _ epoch: Int, _ version: String, _ release: String, _ arch: String,
        _ askedArch: String, _ fits: Bool
    ) throws {
        let question = PackageQuestion(package: asked, architecture: askedArch, releaseID: nil)
        let nevra = try NEVRA(name: name, epoch: epoch, version: version, release: release, architecture: arch)
        #expect((question.names.contains(name) && question.isAbout(nevra)) == fits)
    }
}
