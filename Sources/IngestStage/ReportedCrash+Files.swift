import Archives
import CrashModel
import TaskStorage

/// Reads the texts that the client wrote beside the core, trimmed of blanks and line breaks at the ends.
///
/// - Throws: ``StageError`` with `unreadable-member` for text that is not UTF-8 or that holds control characters,
///   `member-too-large`, or `internal-error`.
func readReportedCrash(in directory: TaskDirectory) throws(StageError) -> ReportedCrash {
    let crash = try answering { () throws(ArchiveError) in try DirectoryDescriptor(opening: directory.crash) }
    return ReportedCrash(
        executable: try readText(.executable, in: crash),
        package: try readText(.package, in: crash),
        osRelease: try readText(.osRelease, in: crash),
        release: try readText(.release, in: crash),
        rootDirectory: try readText(.rootDirectory, in: crash),
        osReleaseInRootDirectory: try readText(.osReleaseInRootDirectory, in: crash))
}

/// The text of one member; nil when it is absent or blank.
private func readText(_ member: Member, in crash: DirectoryDescriptor) throws(StageError) -> String? {
    let most = Int(member.maxBytes ?? 0)
    let content = try answering { () throws(ArchiveError) in try crash.readFile(member.rawValue, count: most + 1) }
    guard let bytes = content else { return nil }
    guard bytes.count <= most else {
        throw .refused(.memberTooLarge, "The file '\(member.rawValue)' has more than \(most) bytes.")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
        throw .refused(
            .unreadableMember, "The file '\(member.rawValue)' is not text in UTF-8.", "Write it as plain text.")
    }
    let blanks: Set<Unicode.Scalar> = [" ", "\t", "\n", "\r"]
    var scalars = text.unicodeScalars[...]
    while let first = scalars.first, blanks.contains(first) { scalars.removeFirst() }
    while let last = scalars.last, blanks.contains(last) { scalars.removeLast() }
    guard !scalars.contains(where: { isHostile($0, multiline: member.mayHaveLines) }) else {
        throw .refused(
            .unreadableMember, "The file '\(member.rawValue)' holds control characters, or more than one line.",
            "Write it as one line of plain text.")
    }
    return scalars.isEmpty ? nil : String(scalars)
}

/// Characters that end a line or steer a terminal or the direction of text; no path, package or release has them.
private func isHostile(_ scalar: Unicode.Scalar, multiline: Bool) -> Bool {
    if multiline, ["\n", "\r", "\t"].contains(scalar) { return false }
    return switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: true
    default: false
    }
}
