import ArgumentParser
import CrashModel
import Glibc
import JobMessages
import MessageQueue
import RetraceClient

struct SyncCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync",
        abstract: "Has reposync mirror a release and build its package index.",
        discussion: """
            For operators: it talks to the broker, not to the server.

            Examples:
              retrace sync debian 12 x86_64
              retrace sync debian-12-x86_64 --packages python3.11 bash
              retrace sync fedora 41 x86_64 --no-wait

            Exit statuses: 0 the mirror is there (with --no-wait: the broker took the job), 1 the synchronisation failed; \
            'retrace --help' lists the others.
            """)

    @Argument(help: "Distribution, version and architecture, or one release id such as debian-12-x86_64.")
    var release: [String]

    @Option(
        parsing: .upToNextOption, help: "Only these packages, with all that they depend on and their debug packages.")
    var packages: [String] = []

    @Flag(help: "With --packages: those packages alone.")
    var withoutClosure = false

    @Flag(inversion: .prefixedNo, help: "Follow the synchronisation to its end.")
    var wait = true

    @OptionGroup var broker: BrokerOptions

    func validate() throws {
        guard release.count == 1 || release.count == 3 else {
            throw ValidationError(
                "Name a release as DISTRIBUTION VERSION ARCHITECTURE, or as one id: debian-12-x86_64.")
        }
        guard !withoutClosure || !packages.isEmpty else {
            throw ValidationError("--without-closure says what --packages fetches, so it needs --packages.")
        }
    }

    func run() async throws {
        try await reportingErrors {
            let watch = SyncWatch()
            let job = ReposyncJob(
                releaseID: try releaseID(), packages: packages, withClosure: !withoutClosure,
                requestedBy: "retrace sync by \(Self.userAndHost) (\(watch.name))")
            try await broker.run(wait ? watch.topology : servicesTopology) { broker in
                let deliveries = wait ? try await broker.consume(watch.queue, prefetch: 16) : nil
                if try await broker.depth(of: QueueNames.jobs(for: Stage.reposync.rawValue)).consumers == 0 {
                    Console.say("No reposync service takes jobs right now; the job waits in its queue until one does.")
                }
                let body = try JobCoding.encode(job)
                try await broker.publish(
                    .job(body, for: Stage.reposync.rawValue, properties: MessageProperties(type: "ReposyncJob")))
                guard let deliveries else {
                    return Console.say("The synchronisation of \(job.releaseID) is in the queue.")
                }
                guard try await watch.follow(job.releaseID, askedBy: job.requestedBy, deliveries) else {
                    throw ExitCode(ExitStatus.failed.rawValue)
                }
            }
        }
    }

    private func releaseID() throws(ClientError) -> ReleaseID {
        do {
            return try ReleaseID(release.joined(separator: "-"))
        } catch {
            throw ClientError(.usage, "\(error).")
        }
    }

    private static var userAndHost: String {
        var name = [CChar](repeating: 0, count: 256)
        let isKnown = gethostname(&name, name.count - 1) == 0
        let bytes = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let host = isKnown ? String(decoding: bytes, as: UTF8.self) : "this host"
        return "\(Console.variable("USER") ?? "uid \(getuid())")@\(host)"
    }
}
