import CrashModel
import JobMessages
import TestFixtures
import Testing

/// Each message in the repository as it goes over the wire. A change of a golden file is a change of the protocol.
@Suite struct GoldenTests {
    @Test func ingestJobIsWrittenAsAgreed() throws {
        try check(
            "IngestJob",
            IngestJob(
                task: Samples.task(), contentType: "application/x-xz-compressed-tar", taskType: 2,
                serverPath: "/srv/dumps/vmcore"))
    }

    @Test func resolveJobIsWrittenAsAgreed() throws {
        try check("ResolveJob", ResolveJob(task: Samples.task(), crash: Samples.crash()))
    }

    @Test func buildJobIsWrittenAsAgreed() throws {
        try check(
            "BuildJob", BuildJob(task: Samples.task(), crash: Samples.crash(), resolution: Samples.resolution()))
    }

    @Test func fetchJobIsWrittenAsAgreed() throws {
        let build = try BuildJob(task: Samples.task(), crash: Samples.crash(), resolution: Samples.resolution())
        try check("FetchJob", FetchJob(before: build))
    }

    @Test func retraceJobIsWrittenAsAgreed() throws {
        try check(
            "RetraceJob",
            RetraceJob(
                task: Samples.task(), crash: Samples.crash(), resolution: Samples.resolution(), chroot: Samples.chroot()
            ))
    }

    @Test func retraceJobOfAKernelIsWrittenAsAgreed() throws {
        try check(
            "RetraceJob", in: "RetraceJob.kernel",
            RetraceJob(
                task: Samples.task(), crash: Samples.kernelCrash(), resolution: Samples.resolution(),
                chroot: Samples.kernelChroot()))
    }

    @Test func reposyncJobIsWrittenAsAgreed() throws {
        try check(
            "ReposyncJob",
            ReposyncJob(
                releaseID: ReleaseID("debian-12-x86_64"), packages: ["python3.11", "gdb"], withClosure: true,
                requestedBy: "timer"))
    }

    @Test func taskEventIsWrittenAsAgreed() throws { try check("TaskEvent", Samples.event()) }

    @Test func ingestReplyIsWrittenAsAgreed() throws {
        let error = StageError(.ingest, StageError.Code("not-an-archive"), "The upload is no archive.")
        try check("IngestReply", IngestReply.refused(error))
    }

    private func check(_ name: String, in file: String? = nil, _ message: some Codable & Equatable) throws {
        let written = try JobCoding.encode(message, pretty: true) + [UInt8(ascii: "\n")]
        let golden = try Checkout.read("Tests/JobMessagesTests/Golden/\(file ?? name).json")
        #expect(String(decoding: written, as: UTF8.self) == String(decoding: golden, as: UTF8.self))
        let schema = try JSONSchema(named: name)
        #expect(try schema.violations(of: golden) == [])
        try expectDecoding(message, from: golden)
    }

    private func expectDecoding<Message: Codable & Equatable>(_ message: Message, from golden: [UInt8]) throws {
        #expect(try JobCoding.decode(Message.self, from: golden) == message)
    }
}
