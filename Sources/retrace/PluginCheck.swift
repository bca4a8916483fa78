import CrashModel
import Distributions

/// Looks at distributions that their plugins describe: at their keys, their mirrors, and what would be synchronised.
struct PluginCheck {
    let survey: PluginSurvey
    let asksMirrors: Bool
    /// Seconds since 1970.
    let now: Int

    /// - Parameters:
    ///   - releases: The releases to look at; others of the distribution are left out.
    ///   - isWanted: Whether the distribution must be fit for use even if it is not enabled.
    func check(_ distribution: Distribution, _ releases: [ReleaseID], isWanted: Bool) async -> CheckedDistribution {
        var checked = CheckedDistribution(distribution)
        let isNeeded = distribution.isEnabled || isWanted
        if !distribution.isEnabled {
            checked.notes.append(
                "It is not enabled: crashes are recognised, nothing is mirrored. A file with 'inherits: "
                    + "\(distribution.name)' and 'enabled: true' changes that.")
        }
        let versions = Set(releases.map(\.release.version))
        await checkKeys(of: distribution, versions, isNeeded: isNeeded, &checked)
        for releaseID in isNeeded ? releases : [] {
            let repositories = distribution.repositories(for: releaseID)
            guard !repositories.isEmpty else {
                checked.problems.append("\(releaseID) has no repository; name them in the plugin.")
                continue
            }
            var release = CheckedRelease(
                releaseID: releaseID.description, repositories: repositories.map(CheckedRepository.init))
            if asksMirrors {
                for index in release.repositories.indices { release.repositories[index].mirrors = [] }
                await askMirrors(distribution, releaseID) { name, answer in
                    guard let place = release.repositories.firstIndex(where: { $0.name == name }) else { return }
                    release.repositories[place].mirrors.append(answer)
                }
                for (index, repository) in repositories.enumerated() {
                    release.repositories[index].sortMirrors(as: repository)
                }
                judgeMirrors(of: release, &checked)
            }
            checked.releases.append(release)
        }
        for repository in Self.unsigned(checked.releases) {
            checked.notes.append("Repository '\(repository)' is taken UNSIGNED (gpgcheck: false).")
        }
        return checked
    }

    private func checkKeys(
        of distribution: Distribution, _ versions: Set<String>, isNeeded: Bool, _ checked: inout CheckedDistribution
    ) async {
        for version in distribution.versions where versions.contains(version.version) {
            for file in distribution.keyFiles(of: version) {
                if let known = checked.keys.firstIndex(where: { $0.file == file.name }) {
                    checked.keys[known].versions.append(version.version)
                } else {
                    checked.keys.append(await look(at: file, for: version.version))
                }
            }
        }
        for file in checked.keys {
            let releases = file.versions.joined(separator: ", ")
            let sentence: String
            switch file.state {
            case .good: continue
            case .missing: sentence = "The key file \(file.file) (\(releases)) is missing: see gpg/README.md."
            case .expired: sentence = "A key in \(file.file) (\(releases)) has expired: fetch its successor."
            case .revoked: sentence = "A key in \(file.file) (\(releases)) was revoked: remove it."
            case .unusable: sentence = "The key file \(file.file) (\(releases)) \(file.reason ?? "is unusable")."
            }
            if isNeeded { checked.problems.append(sentence) } else { checked.notes.append(sentence) }
        }
    }

    private func look(at file: KeyFile, for version: String) async -> CheckedKeyFile {
        var checked = CheckedKeyFile(file: file.name, versions: [version], state: .missing)
        guard file.isReadable else { return checked }
        switch await PublicKey.inFile(file.path) {
        case .failure(let fault):
            checked.state = .unusable
            checked.reason = fault.reason
        case .success(let keys):
            checked.keys = keys
            checked.state =
                if keys.contains(where: \.isRevoked) {
                    .revoked
                } else if keys.contains(where: { $0.hasExpired(at: now) }) {
                    .expired
                } else { .good }
        }
        return checked
    }

    /// A repository needs one mirror that answers; the others are there for the day when that one does not.
    private func judgeMirrors(of release: CheckedRelease, _ checked: inout CheckedDistribution) {
        for repository in release.repositories where !repository.mirrors.contains(where: { $0.answers == true }) {
            let sentence = "No mirror of repository '\(repository.name)' of \(release.releaseID) answers"
            if repository.isOptional {
                checked.notes.append(sentence + "; it is optional.")
            } else {
                checked.problems.append(sentence + ".")
            }
        }
    }

    private static func unsigned(_ releases: [CheckedRelease]) -> [String] {
        var names: [String] = []
        for repository in releases.flatMap(\.repositories)
        where !repository.checksSignatures && !names.contains(repository.name) {
            names.append(repository.name)
        }
        return names
    }
}
