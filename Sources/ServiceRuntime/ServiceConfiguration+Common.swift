package import CrashModel
import FoundationEssentials
package import Logging
package import MessageQueue

extension ServiceConfiguration {
    /// The broker's address from the keys `amqp.…`.
    ///
    /// - Throws: ``ConfigurationRefusal`` that names the key.
    package func brokerAddress() throws(ConfigurationRefusal) -> BrokerAddress {
        var address = BrokerAddress()
        if let url = text(.amqpURL) {
            do throws(MessageQueueError) {
                address = try BrokerAddress(url: url)
            } catch {
                throw refusal(.amqpURL, "cannot be used: \(error.message)")
            }
        }
        if let authority = text(.tlsAuthority) {
            address.tls = BrokerTLS(certificateAuthority: authority)
            if text(.amqpURL) == nil { address.port = 5671 }
        }
        if let certificate = text(.tlsCertificate) {
            guard address.tls != nil else {
                throw refusal(.tlsCertificate, "needs TLS: set amqp.tls.ca or an amqps:// amqp.url")
            }
            address.tls?.certificate = certificate
            address.tls?.key = try required(.tlsKey)
        }
        if let host = text(.amqpHost) { address.host = host }
        if let port = try number(.amqpPort, in: 1...65535) { address.port = port }
        if let user = text(.amqpUser) { address.user = user }
        if let virtualHost = text(.amqpVirtualHost) { address.virtualHost = virtualHost }
        if let password = text(.amqpPassword) { address.password = password }
        if let file = text(.amqpPasswordFile) {
            guard let contents = try? String(contentsOfFile: file, encoding: .utf8) else {
                throw refusal(.amqpPasswordFile, "cannot be read as a file of text")
            }
            let lines = contents.split(separator: "\n", omittingEmptySubsequences: false)
            address.password = lines.first.map(String.init) ?? ""
        }
        if let seconds = try number(.amqpHeartbeat, in: 1...600) { address.heartbeat = .seconds(seconds) }
        return address
    }

    package func workerSettings() throws(ConfigurationRefusal) -> WorkerSettings {
        let usual = WorkerSettings()
        // A service may have a default of its own.
        let concurrency = keys.first { $0.name == ConfigurationKey.concurrency.name } ?? .concurrency
        return WorkerSettings(
            concurrency: try number(concurrency, in: 1...256) ?? usual.concurrency,
            attempts: try number(.attempts, in: 1...100) ?? usual.attempts,
            grace: .seconds(try number(.grace, in: 0...86400) ?? 20))
    }

    /// A routing key of a stage's jobs: the stage, or `<stage>.<host>` where the work must stay on one host.
    ///
    /// - Throws: ``ConfigurationRefusal`` for anything else.
    package func routingKey(_ key: ConfigurationKey, of stage: Stage) throws(ConfigurationRefusal) -> String? {
        guard let text = text(key) else { return nil }
        let isName = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: "-_.".utf8.contains(byte)
            }
        }
        guard text == stage.rawValue || text.hasPrefix(stage.rawValue + "."), isName, text.utf8.count <= 100 else {
            throw refusal(key, "is not \(stage.rawValue) or \(stage.rawValue).<host>, in lower case")
        }
        return text
    }

    package func logLevel() throws(ConfigurationRefusal) -> Logger.Level {
        guard let level = Logger.Level(rawValue: try required(.logLevel)) else {
            return try refuse(
                refusal(.logLevel, "is not one of trace, debug, info, notice, warning, error, critical"),
                goingOnWith: .info)
        }
        return level
    }
}
