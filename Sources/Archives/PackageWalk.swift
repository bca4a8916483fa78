import SystemPackage

/// Goes through a package's payload and keeps the limits; the lexical checks are made here, once for all users.
final class PackageWalk {
    /// An entry that passed the lexical checks.
    struct Step {
        let entry: ArchiveEntry
        let path: PackagePath
        /// The file that a hard link repeats.
        let hardLinkTarget: PackagePath?

        /// As ``PackageEntry/linkTarget`` has it.
        var linkTarget: FilePath? {
            if let hardLinkTarget { return hardLinkTarget.filePath }
            return entry.linkTarget.map { FilePath(platformString: $0.map { CChar(bitPattern: $0) } + [0]) }
        }
    }

    private static let maxReportedRefusals = 1000

    let payload: PackagePayload
    private let limits: ExtractionLimits
    private var entries = 0
    private(set) var bytes: Int64 = 0
    private(set) var refused: [RefusedEntry] = []

    init(_ package: FilePath, limits: ExtractionLimits) throws(ArchiveError) {
        payload = try PackagePayload(package)
        self.limits = limits
    }

    var reader: ArchiveReader { payload.reader }

    /// The next entry that may be used; nil after the last one.
    func next() throws(ArchiveError) -> Step? {
        while let entry = try readHeader() {
            do throws(RefusedEntry.Reason) {
                return try check(entry)
            } catch {
                refuse(entry, error)
            }
        }
        try reader.close()
        return nil
    }

    func refuse(_ entry: ArchiveEntry, _ reason: RefusedEntry.Reason) {
        guard refused.count < Self.maxReportedRefusals else { return }
        refused.append(RefusedEntry(path: String(decoding: entry.path.prefix(300), as: UTF8.self), reason: reason))
    }

    private func readHeader() throws(ArchiveError) -> ArchiveEntry? {
        let next: ArchiveEntry?
        do throws(ArchiveError) {
            next = try reader.nextEntry()
        } catch  where error.code == .notAnArchive && reader.compressions.contains(.rpm) {
            throw ArchiveError(.unsupported, "the payload of the RPM package is in a format that we do not read")
        }
        guard let entry = next else { return nil }
        entries += 1
        guard entries <= limits.maxEntries else {
            throw ArchiveError(.tooManyEntries, "the package has more than \(limits.maxEntries) entries")
        }
        guard entry.byteCount >= 0, entry.byteCount <= limits.maxFileBytes,
            !bytes.addingReportingOverflow(entry.byteCount).overflow, bytes + entry.byteCount <= limits.maxBytes
        else {
            throw ArchiveError(.tooManyBytes, "the package unpacks to more than its limits allow")
        }
        bytes += entry.byteCount
        return entry
    }

    private func check(_ entry: ArchiveEntry) throws(RefusedEntry.Reason) -> Step {
        let path = try PackagePath(entry.path, limits: limits)
        switch entry.kind {
        case .regular, .directory:
            return Step(entry: entry, path: path, hardLinkTarget: nil)
        case .symbolicLink:
            guard let target = entry.linkTarget, (1...4095).contains(target.count) else { throw .linkWithoutTarget }
            return Step(entry: entry, path: path, hardLinkTarget: nil)
        case .hardLink:
            guard let target = entry.linkTarget else { throw .linkWithoutTarget }
            return Step(entry: entry, path: path, hardLinkTarget: try PackagePath(target, limits: limits))
        case .characterDevice, .blockDevice, .fifo, .socket, .unknown:
            throw .isSpecial
        }
    }
}
