import CFuzzer
import Dispatch
import FuzzTargets
import Glibc
import Synchronization
import SystemPackage
import TestFixtures

/// `fuzz TARGET SCRATCH [libFuzzer's options and corpora]`: lets libFuzzer feed one target of FuzzTargets.
@main struct Fuzz {
    static func main() throws {
        guard CommandLine.arguments.count > 2 else {
            fail("usage: fuzz archive|coredump|http SCRATCH [options] [corpora]")
        }
        let scratch = FilePath(CommandLine.arguments[2])
        let target: any Feedable
        switch CommandLine.arguments[1] {
        case "archive": target = Archive(target: try ArchiveTarget(in: scratch))
        case "coredump": target = Core()
        case "http": target = try Gateway(in: scratch)
        case let other: fail("There is no target \(other).")
        }
        feeding.withLock { $0 = target }
        // libFuzzer takes its own name for the first argument and must not see the two that are ours.
        var count = CommandLine.argc - 2
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv + 2
        exit(
            LLVMFuzzerRunDriver(&count, &arguments) { data, size in
                let bytes = Array(UnsafeBufferPointer(start: data, count: Int(size)))
                do {
                    try feeding.withLock { $0 }?.take(bytes)
                } catch {
                    fail("\(error)")
                }
                return 0
            })
    }
}

private protocol Feedable: Sendable {
    func take(_ bytes: [UInt8]) throws
}

private let feeding = Mutex<(any Feedable)?>(nil)

private struct Archive: Feedable {
    let target: ArchiveTarget
    func take(_ bytes: [UInt8]) throws { try target.take(bytes) }
}

private struct Core: Feedable {
    func take(_ bytes: [UInt8]) throws { try CoredumpTarget().take(bytes) }
}

/// A gateway that serves for as long as the process lives.
private final class Gateway: Feedable {
    private let target: HTTPTarget
    private let port: Int
    private let server: Task<Void, Never>

    init(in scratch: FilePath) throws {
        let target = try HTTPTarget(in: scratch)
        let listening = Listening()
        server = Task {
            do {
                try await target.serve { listening.at($0) }
            } catch {
                fail("The gateway ended: \(error)")
            }
        }
        self.target = target
        port = listening.wait()
    }

    func take(_ bytes: [UInt8]) throws {
        try target.take(bytes, port: port, patience: 20)
        // What an aborted upload leaves goes a moment after the connection.
        var waited = 0
        while !target.nothingIsLeft() {
            guard waited < 10_000 else { fail("Something of an upload is left 10 s after its connection ended.") }
            usleep(1000)
            waited += 1
        }
    }
}

/// A port that becomes known on another thread.
private final class Listening: Sendable {
    private let port = Mutex(0)
    private let known = DispatchSemaphore(value: 0)

    func at(_ number: Int) {
        port.withLock { $0 = number }
        known.signal()
    }

    func wait() -> Int {
        known.wait()
        return port.withLock { $0 }
    }
}

/// Ends the process in a way that libFuzzer takes for a crash, so that it keeps the input.
private func fail(_ sentence: String) -> Never {
    let line = Array("\(sentence)\n".utf8)
    _ = write(2, line, line.count)
    abort()
}
