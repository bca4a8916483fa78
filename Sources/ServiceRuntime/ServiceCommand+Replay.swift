import CrashModel
import Glibc
import JobMessages
import Logging
import NIOPosix
import SystemPackage

extension ServiceCommand {
    /// Runs the job in a file: no broker, no ledger, no clean-up. What comes out is printed on standard output as one
    /// JSON array of `{"routing_key", "job"}`, so that a bug report can be played through stage by stage.
    func replay<Job: JobMessage>(
        jobIn file: FilePath, _ handler: JobHandler<Job>, _ logger: Logger
    ) async throws -> ExitStatus {
        let body = try await NIOThreadPool.singleton.runIfActive { try Self.contents(of: file) }
        let job = try Self.job(in: body, Job.self)
        let context = JobContext(attempt: 1, isLastAttempt: true, logger: logger) { message, fraction, _ in
            logger.info("\(message)", metadata: fraction.map { ["fraction": "\($0)"] })
        }
        let outcome = try await handler.stage(job, context)
        logger.notice("\(outcome.message)")
        try await handler.afterwards?(job, context)
        print(String(decoding: try JobCoding.encode(outcome.next.map(ReplayedJob.init), pretty: true), as: UTF8.self))
        return .success
    }

    /// The job itself, or the one job in what the stage before printed.
    private static func job<Job: JobMessage>(in body: [UInt8], _ type: Job.Type) throws(UndecodableMessage) -> Job {
        guard body.first(where: { !" \n\r\t".utf8.contains($0) }) == UInt8(ascii: "[") else {
            return try JobCoding.decode(Job.self, from: body)
        }
        let printed = try JobCoding.decode([PrintedJob<Job>].self, from: body)
        guard let only = printed.first, printed.count == 1 else {
            throw UndecodableMessage(reason: "there are \(printed.count) jobs in the file; give one")
        }
        return only.job
    }

    private static func contents(of file: FilePath) throws -> [UInt8] {
        do {
            let descriptor = file == "-" ? FileDescriptor.standardInput : try FileDescriptor.open(file, .readOnly)
            defer { if file != "-" { try? descriptor.close() } }
            var body: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 1 << 16)
            while body.count <= JobCoding.maximumBytes {
                let count = try chunk.withUnsafeMutableBytes { try descriptor.read(into: $0) }
                guard count > 0 else { break }
                body.append(contentsOf: chunk.prefix(count))
            }
            return body
        } catch let error as Errno {
            throw UndecodableMessage(reason: "the job in \(file) cannot be read: \(error)")
        }
    }
}

/// A job as the replay of the stage before printed it.
private struct PrintedJob<Job: Decodable>: Decodable {
    let job: Job
}

/// A job that would have been sent.
private struct ReplayedJob: Encodable {
    let next: JobOutcome.Next

    init(_ next: JobOutcome.Next) { self.next = next }

    private enum Key: String, CodingKey {
        case routingKey = "routing_key"
        case job
    }

    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(next.routingKey, forKey: .routingKey)
        try values.encode(next.job, forKey: .job)
    }
}
