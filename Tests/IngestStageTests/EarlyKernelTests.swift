import Archives
import CrashModel
import IngestStage
import SystemPackage
import TestFixtures
import Testing

/// What is known of a kernel's dump while it is still being unpacked.
@Suite struct EarlyKernelTests {
    /// Larger than what is looked at first, and nothing that a compression makes small at once.
    private static let memory: [UInt8] = {
        var memory = [UInt8](repeating: 7, count: 40 << 20)
        for page in stride(from: 0, to: memory.count, by: 64) {
            memory[page] = UInt8(truncatingIfNeeded: page &* 0x9e37 >> 13)
        }
        return memory
    }()

    private struct Answer {
        let steps: [IngestProgress]
        let verdict: Result<Crash, StageError>

        /// The first step that tells the kernel, and the last that counts what is unpacked.
        var places: (kernel: Int?, unpacked: Int?) {
            (
                steps.firstIndex { if case .kernel = $0 { true } else { false } },
                steps.lastIndex { if case .unpacked = $0 { true } else { false } }
            )
        }
    }

    private func ingested(_ upload: [UInt8], as type: String) throws -> Answer {
        try SentUpload.with(upload) { upload in
            upload.taskType = 2
            upload.contentType = type
            var steps: [IngestProgress] = []
            let verdict = upload.verdict(steps: { steps.append($0) })
            return Answer(steps: steps, verdict: verdict)
        }
    }

    private func tar(_ dump: [UInt8]) -> [UInt8] {
        var tar = TarBuilder()
        tar.add("os_release", content: Array("Debian GNU/Linux 12 (bookworm)\n".utf8))
        tar.add("vmcore", content: dump)
        return tar.archive
    }

    private func packed(_ dump: [UInt8]) throws -> [(bytes: [UInt8], type: String)] {
        [
            (try compressed(dump, .zstd), "application/zstd"), (try compressed(tar(dump), .gzip), "application/x-gzip"),
            (tar(dump), "application/x-tar"),
        ]
    }

    @Test func kernelIsToldBeforeAllIsUnpacked() throws {
        let dump = sampleVmcore(memory: Self.memory)
        for (bytes, type) in try packed(dump) {
            let answer = try ingested(bytes, as: type)
            let first = try #require(answer.places.kernel)
            #expect(first < answer.places.unpacked ?? 0, "\(type)")
            guard case .kernel(let early) = answer.steps[first] else { return }
            #expect(early.release?.description == sampleRelease && early.buildID?.description == "0102030405060708")
            #expect(early.incompleteness == nil)
            // Whoever sees only the newest step sees the kernel, too.
            let later = answer.steps.suffix(from: first)
            #expect(later.count > 2 && later.allSatisfy { $0.kernel?.buildID == early.buildID }, "\(type)")
            let crash = try answer.verdict.get()
            #expect(crash.kernel?.incompleteness == nil && crash.truncation == nil && crash.remarks == [])
            #expect(crash.kernel == early)
        }
    }

    @Test func flattenedDumpIsToldEarlyToo() throws {
        let dump = sampleVmcore(memory: Self.memory)
        let blocks = stride(from: 0, to: dump.count, by: 1 << 20).map {
            (Int64($0), Array(dump[$0..<min($0 + (1 << 20), dump.count)]))
        }
        let answer = try ingested(compressed(sampleFlattened(blocks), .zstd), as: "application/zstd")
        #expect(try #require(answer.places.kernel) < answer.places.unpacked ?? 0)
        #expect(try answer.verdict.get().kernel?.format == .elf)
    }

    @Test func whatDoesNotNameItsKernelInItsHeadersIsJudgedAtTheEndAlone() throws {
        // Text that a search of the memory finds is no header's word.
        let named = Array("Linux version 5.10.0-8-amd64 (x@y) #1 SMP Debian 5.10.46-4 (2021-08-03)\n".utf8)
        for content in [sampleVmcore("", memory: named + Self.memory), Self.memory] {
            for (bytes, type) in try packed(content) {
                let answer = try ingested(bytes, as: type)
                let (kernel, unpacked) = answer.places
                #expect(kernel.map { $0 > unpacked ?? .max } ?? true, "\(type): \(answer.steps)")
                let release = try? answer.verdict.get().kernel?.release?.description
                #expect(release == (content.count > Self.memory.count ? "5.10.0-8-amd64" : nil))
            }
        }
    }

    @Test func dumpThatBreaksOffAfterItsHeadersIsRefusedAllTheSame() throws {
        let bytes = try compressed(tar(sampleVmcore(memory: Self.memory)), .gzip)
        let answer = try ingested(Array(bytes.prefix(bytes.count / 2)), as: "application/x-gzip")
        #expect(answer.places.kernel != nil)
        guard case .failure(let error) = answer.verdict else {
            Issue.record("it was accepted")
            return
        }
        #expect(error.code == .truncatedArchive)
    }
}
