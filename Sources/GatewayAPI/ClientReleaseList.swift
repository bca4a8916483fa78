import CrashModel

/// The value of `supported_releases`: the ids that ABRT's client compares its own with, letter by letter.
///
/// A client of a minor release names it (`rhel-8.4-x86_64`), where the mirror is of the whole of `rhel-8-x86_64`; it sends
/// `i386` from machines of 32 bits, whose crashes the packages of a multilib release of x86_64 serve. So a release has
/// several names. The client has 32 slots, and all beyond them are lost, the 32nd too; the most useful come first.
struct ClientReleaseList {
    let names: [String]
    /// How many names found no slot.
    let omitted: Int

    /// The slots of ABRT's client.
    static let slots = 32

    /// First the best name of every release, then its second one, and so on; releases that are asked for more, and then
    /// those that were synchronised more lately, come first.
    ///
    /// - Parameters:
    ///   - mirrors: Those that are not served are left out.
    ///   - use: How many tasks each release has had.
    ///   - now: Seconds since the epoch of Unix.
    init(_ mirrors: [MirroredRelease], use: [ReleaseID: Int] = [:], now: Int64) {
        let served = mirrors.filter(\.isServed).sorted {
            let (left, right) = (use[$0.releaseID] ?? 0, use[$1.releaseID] ?? 0)
            if left != right { return left > right }
            if $0.lastSuccessAt != $1.lastSuccessAt { return ($0.lastSuccessAt ?? 0) > ($1.lastSuccessAt ?? 0) }
            return $0.releaseID.description < $1.releaseID.description
        }.map(\.releaseID)
        let spellings = served.map { Self.names(of: $0, now: now) }
        var names: [String] = []
        for round in 0..<(spellings.map(\.count).max() ?? 0) {
            for release in spellings where round < release.count && !names.contains(release[round]) {
                names.append(release[round])
            }
        }
        self.names = Array(names.prefix(Self.slots))
        omitted = names.count - self.names.count
    }

    /// The names of one release, the most useful first.
    static func names(of releaseID: ReleaseID, now: Int64) -> [String] {
        let (release, own) = (releaseID.release, releaseID.description)
        var architectures = [releaseID.architecture.rawValue]
        if releaseID.architecture == .x86_64, multilib.contains(release.distribution) { architectures.append("i386") }
        let product = productNames[release.distribution] ?? release.distribution
        let minors = MinorReleases.names(of: release, now: now)
        var names: [String] = []
        for architecture in architectures {
            let whole = "\(product)-\(release.version)-\(architecture)"
            guard let newest = minors.first else {
                names.append(whole)
                continue
            }
            // Clients name the minor release; the whole one is for people and other programs.
            names += ["\(product)-\(newest)-\(architecture)", whole]
            names += minors.dropFirst().map { "\(product)-\($0)-\(architecture)" }
        }
        return names.contains(own) ? names : names + [own]
    }

    /// What os-release(5) calls a product for which the client has no short name; it must have no space in it.
    private static let productNames = ["almalinux": "AlmaLinux", "ubuntu": "Ubuntu"]
    /// Distributions whose repositories of x86_64 hold packages of 32 bits too.
    private static let multilib: Set = ["almalinux", "centos", "fedora", "rhel", "rocky"]
}

/// The minor releases of Enterprise Linux that are out at a time, by Red Hat's life cycle: since 8 there is one every six
/// months, and 10 is the last (https://access.redhat.com/support/policy/updates/errata).
private enum MinorReleases {
    /// The last minor of releases that get no more.
    private static let finished = ["6": 10, "7": 9]
    /// Seconds from the epoch of Unix to the first minor: 2019-05-07, 2022-05-17, 2025-05-20.
    private static let begun: [String: Int64] = ["8": 1_557_187_200, "9": 1_652_745_600, "10": 1_747_699_200]
    private static let halfYear: Int64 = 15_778_800

    /// Versions, the newest first; empty where clients name the release as the mirror does.
    static func names(of release: Release, now: Int64) -> [String] {
        guard ["rhel", "almalinux"].contains(release.distribution) else { return [] }
        let last: Int
        if let known = finished[release.version] {
            last = known
        } else if let first = begun[release.version], now >= first {
            // A minor release may come some weeks early.
            last = min(10, Int((now - first + halfYear / 6) / halfYear))
        } else {
            return []
        }
        return (0...last).reversed().map { "\(release.version).\($0)" }
    }
}
