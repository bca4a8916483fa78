import Glibc
import Subprocess
package import SystemPackage

/// A throwaway OpenPGP key, made by the host's gpg for one test, in a keyring of its own.
package struct SigningKey: Sendable {
    /// `GNUPGHOME`; the path is short, since gpg's agent has a socket in it.
    package let home: FilePath
    /// The public key in ASCII armour, as the files below `gpg/` have it.
    package let publicKey: [UInt8]

    /// What gpg said when it did not do its work.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// - Parameter rsa: Whether it is of RSA, which rpm 4.18 wants, instead of Ed25519, which is made at once.
    package init(rsa: Bool = false) async throws {
        var template = Array("/tmp/retrace-gpg-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
        home = FilePath(platformString: template)
        try await Self.gpg(
            home,
            [
                "--passphrase", "", "--quick-gen-key", "retrace test <test@example.org>", rsa ? "rsa2048" : "ed25519",
                "sign", "1y",
            ])
        publicKey = Array(try await Self.gpg(home, ["--armor", "--export"]).utf8)
    }

    /// Signs a text inside itself, as `InRelease` is.
    package func clearSign(_ text: FilePath, to signed: FilePath) async throws {
        try await Self.gpg(
            home, ["--yes", "--digest-algo", "SHA256", "--output", signed.string, "--clearsign", text.string])
    }

    /// Ends gpg's agent and removes the keyring.
    package func remove() async throws {
        _ = try await run(
            .name("gpgconf"), arguments: ["--homedir", home.string, "--kill", "all"], output: .discarded,
            error: .discarded)
        _ = try await run(.name("rm"), arguments: ["-rf", home.string], output: .discarded)
    }

    @discardableResult
    private static func gpg(_ home: FilePath, _ arguments: [String]) async throws -> String {
        let result = try await run(
            .name("gpg"), arguments: Arguments(["--homedir", home.string, "--batch", "--quiet"] + arguments),
            output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        guard result.terminationStatus.isSuccess else {
            throw Failure(description: "gpg \(arguments): \(result.standardError)")
        }
        return result.standardOutput
    }
}
