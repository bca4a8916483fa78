import CrashModel
import Packages
import SystemPackage

/// A mirrored package that a root needs.
struct WantedPackage: Sendable {
    let nevra: NEVRA
    let sha256: String
    let location: String
    /// The mirror that has it.
    let mirror: MirrorDirectory
}

/// What became of a wanted package.
enum UnpackedPackage: Sendable {
    /// It is in the store, and stays there as long as the lease lives.
    case leased(PackageLease)
    /// Why the package itself cannot be had.
    case unavailable(String)
}

extension ChrootBuilder {
    /// How many packages are unpacked at a time: decompression keeps a core busy, the disk the rest.
    private static let concurrency = 3

    /// Unpacks what the store does not have yet; the answers are in the order of `wanted`.
    ///
    /// - Parameter what: Whose packages they are, for the person who waits: `the crash`.
    /// - Throws: ``CrashModel/StageError`` when the store fails, or the task is cancelled.
    func unpack(
        _ wanted: [WantedPackage], of what: String, progress: BuildProgress
    ) async throws(StageError) -> [UnpackedPackage] {
        let answers = await withTaskGroup(of: (Int, Result<PackageLease, PackageTrouble>).self) { group in
            var answers = [Result<PackageLease, PackageTrouble>?](repeating: nil, count: wanted.count)
            var started = 0
            var done = 0
            func start() {
                guard started < wanted.count else { return }
                let index = started
                started += 1
                group.addTask { (index, await lease(wanted[index])) }
            }
            for _ in 0..<Self.concurrency { start() }
            for await (index, answer) in group {
                answers[index] = answer
                done += 1
                progress(
                    "unpacking \(done) of \(wanted.count) packages of \(what)", Double(done) / Double(wanted.count))
                if case .failure(.store) = answer {
                    group.cancelAll()
                } else if !Task.isCancelled {
                    start()
                }
            }
            return answers
        }
        var unpacked: [UnpackedPackage] = []
        for answer in answers {
            switch answer {
            case .success(let lease): unpacked.append(.leased(lease))
            case .failure(.package(let reason)): unpacked.append(.unavailable(reason))
            case .failure(.store(let error)): throw error
            case nil: continue
            }
        }
        guard unpacked.count == wanted.count else {
            throw StageError(
                .build, .interrupted, "The service was stopped while unpacking packages.",
                advice: "The task goes on when the service is back.", disposition: .retry(after: .seconds(5)))
        }
        return unpacked
    }

    private func lease(_ wanted: WantedPackage) async -> Result<PackageLease, PackageTrouble> {
        let file: FilePath
        do {
            file = try wanted.mirror.file(at: wanted.location)
        } catch {
            return .failure(.package("\(error)"))
        }
        do {
            return .success(try await store.lease(wanted.sha256, from: file))
        } catch {
            if let trouble = StageError(storeTrouble: error) { return .failure(.store(trouble)) }
            return .failure(.package("\(error)"))
        }
    }
}

/// Whose fault it is that a package is not unpacked.
private enum PackageTrouble: Error {
    case package(String)
    case store(StageError)
}
