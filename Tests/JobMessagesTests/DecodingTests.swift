import CrashModel
import JobMessages
import Testing

@Suite struct DecodingTests {
    @Test func unknownVersionIsRefusedInWords() {
        let body = #"{"version":99,"task":"123456789","content_type":"x","task_type":0}"#
        expectRefusal(body, saying: "version 99")
    }

    @Test func missingFieldIsNamed() {
        expectRefusal(#"{"version":1,"task":"123456789","task_type":0}"#, saying: "content_type")
    }

    @Test func wrongTypeIsNamed() {
        expectRefusal(#"{"version":1,"task":"123456789","content_type":"x","task_type":"zero"}"#, saying: "task_type")
    }

    @Test func hostileTaskIDIsRefused() {
        expectRefusal(#"{"version":1,"task":"../../etc","content_type":"x","task_type":0}"#, saying: "task id")
    }

    @Test func textThatIsNoJSONIsRefused() { expectRefusal("hello", saying: "IngestJob") }

    @Test func emptyBodyIsRefused() { expectRefusal("", saying: "IngestJob") }

    @Test func bodyOverTheLimitIsRefusedUnread() {
        expectRefusal(String(repeating: " ", count: JobCoding.maximumBytes + 1), saying: "at most")
    }

    @Test func deepNestingIsRefused() {
        expectRefusal(String(repeating: "[", count: 100_000), saying: "IngestJob")
    }

    @Test func syncJobByHandNeedsOnlyTheRelease() throws {
        let job = try JobCoding.decode(
            ReposyncJob.self, from: Array(#"{"version":1,"release_id":"debian-12-x86_64"}"#.utf8))
        #expect(job.packages == [])
        #expect(job.withClosure)
    }

    private func expectRefusal(_ body: String, saying part: String) {
        let error = #expect(throws: UndecodableMessage.self) {
            try JobCoding.decode(IngestJob.self, from: Array(body.utf8))
        }
        #expect(error?.reason.contains(part) == true, "\(error?.reason ?? "")")
    }
}
