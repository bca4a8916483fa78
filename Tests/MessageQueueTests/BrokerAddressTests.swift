import MessageQueue
import Testing

@Suite struct BrokerAddressTests {
    @Test func urlIsReadInAllItsParts() throws {
        let address = try BrokerAddress(url: "amqps://us%40er:p%2Fw%3A@broker.example:5679/my%2Fhost")
        #expect(address.user == "us@er")
        #expect(address.password == "p/w:")
        #expect(address.host == "broker.example")
        #expect(address.port == 5679)
        #expect(address.virtualHost == "my/host")
        #expect(address.tls == BrokerTLS())
    }

    @Test func missingPartsHaveTheDefaultsOfAMQP() throws {
        let plain = try BrokerAddress(url: "amqp://[::1]")
        #expect((plain.host, plain.port, plain.user, plain.virtualHost) == ("::1", 5672, "guest", "/"))
        #expect(try BrokerAddress(url: "amqps://host/").port == 5671)
    }

    @Test(arguments: [
        "", "host", "http://host", "amqp://h:0", "amqp://h:x", "amqp://u%4@h", "amqp://u:%@h", "amqp://h/%z0",
    ])
    func textThatIsNoAddressIsRefused(text: String) {
        let failure = #expect(throws: MessageQueueError.self) { try BrokerAddress(url: text) }
        #expect(failure?.code == .invalidAddress)
    }

    @Test func passwordIsNeverPrinted() throws {
        let address = try BrokerAddress(url: "amqp://user:hunter2@host/v")
        #expect("\(address)" == "amqp://user@host:5672/v")
    }
}
