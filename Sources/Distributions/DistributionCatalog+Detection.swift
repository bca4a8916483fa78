package import CrashModel

/// A release that a crash was recognised to be of, and how.
package struct DetectedRelease: Hashable, Sendable {
    package let release: Release
    /// One sentence without the full stop, such as `os_release says "Debian GNU/Linux 12 (bookworm)"`.
    package let evidence: String

    package init(release: Release, evidence: String) {
        self.release = release
        self.evidence = evidence
    }
}

extension DistributionCatalog {
    /// The release of a crash by what the client wrote beside it; nil when no plugin recognises any of it.
    ///
    /// The container's own release comes first where the crash was in one, then `os_release`, then `release`, then a
    /// guess from the package's version: the order of the system that this one replaces.
    package func detectRelease(_ reported: ReportedCrash) -> DetectedRelease? {
        var texts: [(name: String, text: String?)] = []
        if reported.rootDirectory != nil {
            texts.append(("os_release_in_rootdir", reported.osReleaseInRootDirectory))
        }
        texts += [("os_release", reported.osRelease), ("release", reported.release)]
        for (name, text) in texts {
            guard let text, let found = release(inText: text, named: name) else { continue }
            return found
        }
        return reported.package.flatMap(release(ofPackage:))
    }

    private func release(inText text: String, named name: String) -> DetectedRelease? {
        for distribution in distributions {
            guard let version = distribution.recognition.version(inRelease: text),
                let release = try? Release(distribution: distribution.name, version: version)
            else { continue }
            let quoted = OperatingSystemRelease(text)?.prettyName ?? firstLine(of: text)
            return DetectedRelease(release: release, evidence: "\(name) says \"\(Self.printable(quoted))\"")
        }
        return nil
    }

    private func release(ofPackage package: String) -> DetectedRelease? {
        let own = candidates { $0.version(inPackage: package) }
        let sharing = candidates { $0.version(inSharedMarkOf: package) }
        // A distribution that can be mirrored is the better guess where several use the same mark, as CentOS, RHEL and
        // the rebuilds of RHEL do; and one whose own mark it is, a better one than those that only took it over.
        let mirrored = (own + sharing).first { distribution(named: $0.distribution)?.isEnabled == true }
        guard let release = mirrored ?? own.first ?? sharing.first else { return nil }
        let candidates = mirrored == nil ? own : own + sharing
        let others = candidates.filter { $0 != release }.map(\.description)
        let tie = others.isEmpty ? "" : " (as \(others.joined(separator: ", ")) would too)"
        return DetectedRelease(
            release: release,
            evidence: "no release was sent that a plugin knows, but the version of package "
                + "\"\(Self.printable(package))\" looks like \(release)\(tie)")
    }

    private func candidates(_ version: (ReleaseRecognition) -> String?) -> [Release] {
        distributions.compactMap { distribution in
            guard let version = version(distribution.recognition) else { return nil }
            return try? Release(distribution: distribution.name, version: version)
        }
    }

    private static let hidden: [Unicode.GeneralCategory] = [.control, .format, .lineSeparator, .paragraphSeparator]

    /// Hostile text for a sentence: 128 characters, without any that act on a terminal or turn the text around.
    private static func printable(_ text: String) -> String {
        String(
            text.unicodeScalars.prefix(128).map { hidden.contains($0.properties.generalCategory) ? "?" : Character($0) }
        )
    }
}
