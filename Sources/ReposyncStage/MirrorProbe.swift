package import CrashModel
package import Distributions
import Glibc

/// What one mirror of a repository said when it was asked for its metadata.
package struct MirrorProbe: Hashable, Sendable {
    package enum Answer: Hashable, Sendable {
        /// What it has, such as `3128 bytes of repodata/repomd.xml, of 2026-11-23`.
        case reachable(detail: String)
        /// A sentence without the full stop.
        case failed(reason: String)
    }

    /// The mirror, for people.
    package let mirror: String
    /// The plugin's name of the repository.
    package let repository: String
    package let answer: Answer
}

/// Asks every mirror of every repository of a release for the file that leads to its metadata: `repodata/repomd.xml`, or
/// a suite's `InRelease`. Nothing is verified or kept.
///
/// - Parameters:
///   - limits: How many are asked at once, and how long one may take (`fileSeconds`).
///   - each: Called for each answer, one after the other, in the order in which they come.
package func probeMirrors(
    of distribution: Distribution, for releaseID: ReleaseID, limits: SyncLimits, apt: AptSources? = nil,
    each: (MirrorProbe) async -> Void
) async {
    // Asking throws nothing: what a mirror fails with is its answer.
    try? await Downloader.with(limits) { downloader in
        await downloader.probeMirrors(of: distribution, for: releaseID, apt: apt, each: each)
    }
}

extension Downloader {
    fileprivate func probeMirrors(
        of distribution: Distribution, for releaseID: ReleaseID, apt: AptSources?, each: (MirrorProbe) async -> Void
    ) async {
        let sources = (try? await blocking { apt ?? AptSources() }) ?? AptSources(entries: [])
        var questions: [(Repository, MirrorAddress)] = []
        for repository in distribution.repositories(for: releaseID) {
            let addresses = repository.addresses(sources)
            questions += addresses.map { (repository, $0) }
            if addresses.isEmpty {
                await each(
                    MirrorProbe(
                        mirror: Mirror.hostAptSources.description, repository: repository.name,
                        answer: .failed(reason: "this machine's apt has no source of it")))
            }
        }
        await withTaskGroup(of: MirrorProbe.self) { group in
            for (number, (repository, address)) in questions.enumerated() {
                if number >= max(limits.downloads, 1), let probe = await group.next() { await each(probe) }
                group.addTask { await probe(repository, at: address) }
            }
            for await probe in group { await each(probe) }
        }
    }

    private func probe(_ repository: Repository, at address: MirrorAddress) async -> MirrorProbe {
        let path =
            switch repository.format {
            case .rpm: "repodata/repomd.xml"
            case .deb: "dists/\(repository.suite ?? "")/InRelease"
            }
        let answer: MirrorProbe.Answer
        do {
            let bytes = try await small(path, at: address, limit: 4 << 20)
            let dated =
                Self.date(of: String(decoding: bytes, as: UTF8.self), repository.format).map { ", of \($0)" } ?? ""
            answer =
                bytes.isEmpty
                ? .failed(reason: "\(path) is empty") : .reachable(detail: "\(bytes.count) bytes of \(path)\(dated)")
        } catch {
            let isBare = await isBareFolder(address)
            answer =
                repository.format == .rpm && isBare
                ? .reachable(detail: "a folder without repodata, described by its packages' headers")
                : .failed(reason: "\(error)")
        }
        return MirrorProbe(mirror: address.description, repository: repository.name, answer: answer)
    }

    private func isBareFolder(_ address: MirrorAddress) async -> Bool {
        guard case .folder(let path) = address else { return false }
        return (try? await blocking { try isDirectory(path) && holdsPackages(path) }) ?? false
    }

    /// When the metadata was made, as it says itself: `Date:` of a Release file, the newest `timestamp` of a repomd.xml.
    private static func date(of text: String, _ format: PackageFormat) -> String? {
        switch format {
        case .deb:
            let line = text.split(whereSeparator: \.isNewline).prefix(64).first { $0.hasPrefix("Date: ") }
            return line.map { String($0.dropFirst(6).prefix(40)) }
        case .rpm:
            let stamps = text.split(separator: "<timestamp>").dropFirst().prefix(64).compactMap { part in
                Int64(part.prefix { $0.isNumber })
            }
            return stamps.max().flatMap(day)
        }
    }

    /// The day of a moment in seconds since 1970, in UTC: `2026-11-23`.
    private static func day(_ seconds: Int64) -> String? {
        var time = time_t(seconds)
        var parts = tm()
        guard gmtime_r(&time, &parts) != nil else { return nil }
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
    }
}
