import Subprocess
package import SystemPackage
import Testing

/// Writes a certificate for `name` that it signed itself, and its key, as PEM, with openssl(1).
package func makeCertificate(_ name: String, _ certificate: FilePath, _ key: FilePath) async throws {
    let made = try await Subprocess.run(
        .name("openssl"),
        arguments: [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=\(name)", "-out", certificate.string, "-keyout", key.string,
        ],
        output: .discarded, error: .string(limit: 4096))
    try #require(made.terminationStatus.isSuccess, "\(made.standardError)")
}
