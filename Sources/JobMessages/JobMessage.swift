package import CrashModel

/// A job that one stage hands to the next, as JSON on a queue.
///
/// Every message carries `version`; a reader takes only the versions it knows, so that a mixed fleet fails in words.
package protocol JobMessage: Codable, Sendable {
    /// The stage that runs the job; it names the queue.
    static var stage: Stage { get }
    /// The task, or nil for a job that belongs to none.
    var task: TaskID? { get }
}

/// The version of the messages that this code writes, and the only one that it reads.
package let messageVersion = 1

/// The coding keys of the envelope.
enum EnvelopeKey: String, CodingKey {
    case version
    case task
}

extension KeyedDecodingContainer<EnvelopeKey> {
    /// - Throws: ``UndecodableMessage`` unless `version` is one that this code reads.
    func checkVersion() throws {
        let version = try decode(Int.self, forKey: .version)
        guard version == messageVersion else {
            throw UndecodableMessage(
                reason: "message version \(version) is not known here; this service reads version \(messageVersion)")
        }
    }
}

/// The bytes of a message do not say what they should.
package struct UndecodableMessage: Error, Hashable, Sendable, CustomStringConvertible {
    /// One sentence for the operator who looks at the dead letter.
    package let reason: String
    package init(reason: String) { self.reason = reason }
    package var description: String { reason }
}
