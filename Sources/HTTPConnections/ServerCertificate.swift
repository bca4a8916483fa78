import NIOSSL
import Synchronization
package import SystemPackage

/// The certificate that connections are accepted with. It can be exchanged while the server runs: connections that are open
/// keep the one that they began with.
package final class ServerCertificate: Sendable {
    private struct State {
        var context: NIOSSLContext
        var stamp: Stamp
    }

    /// What stat(2) says of both files; another one means other contents.
    private struct Stamp: Equatable {
        var certificate: FileStamp
        var key: FileStamp
    }

    private let certificate: FilePath
    private let key: FilePath
    private let state: Mutex<State>

    /// Reads both files. Blocking.
    ///
    /// - Parameters:
    ///   - certificate: Our certificate with its chain, PEM.
    ///   - key: Its private key, PEM.
    /// - Throws: ``CertificateFault``.
    package init(certificate: FilePath, key: FilePath) throws(CertificateFault) {
        self.certificate = certificate
        self.key = key
        let stamp = try Self.stamp(certificate, key)
        state = Mutex(State(context: try Self.context(certificate, key), stamp: stamp))
    }

    var context: NIOSSLContext { state.withLock { $0.context } }

    /// Reads the files again if they have changed since they were last looked at. Blocking.
    ///
    /// - Returns: Whether another certificate is in service now.
    /// - Throws: ``CertificateFault`` when what is new cannot be used; the old certificate stays in service, and the same
    ///   files are not read again.
    package func reload() throws(CertificateFault) -> Bool {
        let stamp = try Self.stamp(certificate, key)
        let isNew = state.withLock { state in
            defer { state.stamp = stamp }
            return state.stamp != stamp
        }
        guard isNew else { return false }
        let context = try Self.context(certificate, key)
        state.withLock { $0.context = context }
        return true
    }

    private static func stamp(_ certificate: FilePath, _ key: FilePath) throws(CertificateFault) -> Stamp {
        Stamp(certificate: try FileStamp(of: certificate), key: try FileStamp(of: key))
    }

    private static func context(_ certificate: FilePath, _ key: FilePath) throws(CertificateFault) -> NIOSSLContext {
        let chain: [NIOSSLCertificate]
        do {
            chain = try NIOSSLCertificate.fromPEMFile(certificate.string)
        } catch {
            throw CertificateFault("\(certificate) holds no certificate in PEM: \(error)")
        }
        guard !chain.isEmpty else { throw CertificateFault("\(certificate) holds no certificate in PEM") }
        let privateKey: NIOSSLPrivateKey
        do {
            privateKey = try NIOSSLPrivateKey(file: key.string, format: .pem)
        } catch {
            throw CertificateFault("\(key) holds no private key in PEM that can be read: \(error)")
        }
        do {
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(privateKey))
            configuration.minimumTLSVersion = .tlsv12
            configuration.applicationProtocols = ["http/1.1"]
            return try NIOSSLContext(configuration: configuration)
        } catch {
            // Among others when the key is not that of the certificate.
            throw CertificateFault("\(certificate) and \(key) do not go together: \(error)")
        }
    }
}

/// Why a certificate cannot be used, as one clause that names the file.
package struct CertificateFault: Error, Hashable, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}
