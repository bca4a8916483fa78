import GatewayAPI
import Glibc
import ServiceRuntime
import SystemPackage

extension ConfigurationKey {
    static let deleteAfter = Self(
        "tasks.deleteafter", default: "120", "hours after its end that a task is kept; 0 for ever (DeleteTaskAfter)")
    static let deleteFailedAfter = Self(
        "tasks.deletefailedafter", default: "24",
        "hours after its end that a failed task is kept; 0 for ever (DeleteFailedTaskAfter)")
    static let archiveAfter = Self(
        "tasks.archiveafter", default: "0",
        "hours after which a task that ended is packed into the archive; 0 never, at most tasks.deleteafter; failed ones that are deleted sooner are not (ArchiveTaskAfter)"
    )
    static let archive = Self("tasks.archive", default: nil, "the directory of archived tasks (DropDir)")
    static let silentAfter = Self(
        "tasks.giveupafter", default: "24", "hours without a word of any stage after which a task has failed")
    static let allowDelete = Self(
        "http.delete", default: "true", "true lets the owner of a task delete it (AllowAPIDelete)")
    static let allowInteractive = Self(
        "http.interactive", default: "false", "true takes tasks that keep their dump, types 3 and 4 (AllowInteractive)")
    static let publicRepositories = Self(
        "http.repos", default: "false", "true lets everybody read the mirrored packages at /repos")

    static let ofLifetime: [ConfigurationKey] = [
        deleteAfter, deleteFailedAfter, archiveAfter, archive, silentAfter, allowDelete, allowInteractive,
        publicRepositories,
    ]
}

extension ServiceConfiguration {
    /// - Throws: ``ConfigurationRefusal``; also where failed tasks would outlive the others, or be archived nowhere.
    func taskLifetime() throws(ConfigurationRefusal) -> TaskLifetime {
        func hours(_ key: ConfigurationKey) throws(ConfigurationRefusal) -> Int? {
            let hours = try number(key, in: 0...1_000_000) ?? 0
            return hours == 0 ? nil : hours
        }
        let lifetime = TaskLifetime(
            successHours: try hours(.deleteAfter), failureHours: try hours(.deleteFailedAfter),
            archiveHours: try hours(.archiveAfter), silentHours: try number(.silentAfter, in: 1...1_000_000) ?? 24)
        if let success = lifetime.successHours, lifetime.failureHours ?? .max > success {
            return try refuse(
                refusal(
                    .deleteFailedAfter,
                    "is longer than \(ConfigurationKey.deleteAfter.name), so that failures would outlive results"),
                goingOnWith: lifetime)
        }
        if lifetime.archiveHours != nil { _ = try required(.archive) }
        if let archive = lifetime.archiveHours, let success = lifetime.successHours, archive > success {
            return try refuse(
                refusal(
                    .archiveAfter,
                    "is longer than \(ConfigurationKey.deleteAfter.name), so that results would be deleted before"),
                goingOnWith: lifetime)
        }
        return lifetime
    }

    /// The directory of archived tasks; nil where none is set.
    func archive() throws(ConfigurationRefusal) -> FilePath? {
        guard let text = text(.archive) else { return nil }
        guard text.hasPrefix("/") else {
            return try refuse(
                refusal(.archive, "must be the absolute path of a directory"), goingOnWith: nil)
        }
        return FilePath(text)
    }
}

/// Blocking.
///
/// - Throws: ``ServiceRuntime/ConfigurationRefusal`` when nothing can be put into the directory: what was to be archived
///   would only pile up.
func checkArchive(_ archive: FilePath, _ configuration: ServiceConfiguration) throws(ConfigurationRefusal) {
    guard access(archive.string, W_OK | X_OK) != 0 else { return }
    throw configuration.refusal(
        .archive,
        "cannot be written (\(Errno(rawValue: errno))): make the directory, and let the gateway's user and its unit write there"
    )
}
