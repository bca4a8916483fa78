import FoundationEssentials

/// Messages as JSON: keys sorted and slashes plain, so that golden files and people can read them.
package enum JobCoding {
    /// The largest message that is read, in bytes; RabbitMQ's own limit is the same 16 MiB.
    package static let maximumBytes = 16 << 20

    /// - Throws: `EncodingError`, which only a value that JSON cannot hold (an infinite fraction) causes.
    package static func encode(_ message: some Encodable, pretty: Bool = false) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting =
            pretty ? [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted] : [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(message))
    }

    /// - Throws: ``UndecodableMessage`` for anything but one message of this type in a version that is known.
    package static func decode<Message: Decodable>(
        _ type: Message.Type, from body: [UInt8]
    ) throws(UndecodableMessage) -> Message {
        guard body.count <= maximumBytes else {
            throw UndecodableMessage(reason: "the message has \(body.count) bytes; at most \(maximumBytes) are read")
        }
        do {
            return try JSONDecoder().decode(type, from: Data(body))
        } catch let error as UndecodableMessage {
            throw error
        } catch let error as DecodingError {
            throw UndecodableMessage(reason: "not a \(type): \(Self.sentence(error))")
        } catch {
            throw UndecodableMessage(reason: "not a \(type): \(error)")
        }
    }

    private static func sentence(_ error: DecodingError) -> String {
        func path(_ context: DecodingError.Context) -> String {
            let keys = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
            return keys.isEmpty ? "the message" : keys.joined(separator: ".")
        }
        switch error {
        case .keyNotFound(let key, let context): return "\(path(context)) lacks '\(key.stringValue)'"
        case .valueNotFound(_, let context): return "\(path(context)) is null"
        case .typeMismatch(let type, let context): return "\(path(context)) is not a \(type)"
        case .dataCorrupted(let context): return "\(path(context)): \(context.debugDescription)"
        @unknown default: return "\(error)"
        }
    }
}
