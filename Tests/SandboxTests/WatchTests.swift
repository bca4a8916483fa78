import Synchronization
import Testing

@testable import Sandbox

@Suite("A child whose deadline moves with what it prints")
struct WatchTests {
    @Test func whatItPrintsIsSeenAtOnceAndShortensItsTime() async throws {
        let seen = Mutex<[UInt8]>([])
        let watch = ChildWatch(first: .seconds(600)) { bytes in
            seen.withLock { $0 += bytes }
            return .milliseconds(100)
        }
        let result = try await shell("echo begun; sleep 1000", watch: watch)
        #expect(result.termination == .timedOut && result.text == "begun")
        #expect(seen.withLock(\.self) == Array("begun\n".utf8))
    }

    @Test func whatItPrintsProlongsItsTime() async throws {
        // Longer than a sandbox takes to start, shorter than the script.
        let watch = ChildWatch(first: .seconds(8)) { _ in .seconds(100) }
        let result = try await shell("echo begun; sleep 9; echo done", watch: watch)
        #expect(result.termination == .exited(0) && result.text == "begun\ndone")
    }

    @Test func withoutAWordItEndsAtTheFirstDeadlineOrAtTheLimit() async throws {
        let watch = ChildWatch(first: .seconds(1)) { _ in nil }
        #expect(try await shell("sleep 1000", watch: watch).termination == .timedOut)
        var limits = quick
        limits.wallTime = .seconds(1)
        let patient = ChildWatch(first: .seconds(1000)) { _ in .seconds(1000) }
        #expect(try await shell("echo x; sleep 1000", limits: limits, watch: patient).termination == .timedOut)
    }

    @Test func aChildThatEndsByItselfEndsTheWatch() async throws {
        let watch = ChildWatch(first: .seconds(1000)) { _ in .seconds(1000) }
        #expect(try await shell("echo x; exit 3", watch: watch).termination == .exited(3))
    }
}
