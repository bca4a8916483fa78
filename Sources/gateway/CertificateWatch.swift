import HTTPConnections
import Logging
import NIOPosix
import ServiceLifecycle

/// Takes a new certificate into service when its files change, as certbot and the like replace them; one that cannot be used
/// is reported, and the old one stays.
struct CertificateWatch: Service {
    let certificate: ServerCertificate
    let interval: Duration
    let logger: Logger

    func run() async throws {
        await everyInterval(interval) {
            do {
                let isNew = try await NIOThreadPool.singleton.runIfActive { try certificate.reload() }
                if isNew { logger.notice("another certificate is in service") }
            } catch {
                logger.error("the certificate in service stays, because what is in its files cannot be used: \(error)")
            }
        }
    }
}

/// Does `work` again and again, with a pause after each time, until the service is to stop.
func everyInterval(_ interval: Duration, _ work: @escaping @Sendable () async -> Void) async {
    do {
        try await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: interval)
                await work()
            }
        }
    } catch {
        // The only error is that of being cancelled.
    }
}
