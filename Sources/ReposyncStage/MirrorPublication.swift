import CrashModel
import Packages
import RPMRepodata
import SystemPackage

/// A package of this synchronisation, with its place in the mirror.
struct PlacedPackage: Sendable {
    let package: ArchivePackage
    /// Relative to the mirror.
    let location: String
}

/// Writes the stanzas of everything that the mirror has: those of before and the new ones. Blocking.
func writeStanzas(of mirror: MirrorDirectory, adding new: [PlacedPackage], to path: FilePath) throws {
    let output = try FileDescriptor.open(
        path, .writeOnly, options: [.create, .truncate, .closeOnExec],
        permissions: [.ownerReadWrite, .groupRead, .otherRead])
    try output.closeAfter {
        var buffer: [UInt8] = []
        func flush(over limit: Int) throws {
            guard buffer.count > limit else { return }
            _ = try output.writeAll(buffer)
            buffer.removeAll(keepingCapacity: true)
        }
        do {
            try forEachStanza(in: mirror.debianStanzas) { view, _ in
                buffer += view.bytes
                buffer += [0x0a, 0x0a]
                try flush(over: 1 << 20)
            }
        } catch Errno.noSuchFileOrDirectory {
            // The first synchronisation of this mirror.
        }
        for placed in new {
            let stanza = try placed.package.stanza.read()
            buffer += relocated(stanza, placed).utf8
            buffer += [0x0a, 0x0a]
            try flush(over: 1 << 20)
        }
        try flush(over: 0)
    }
}

/// The stanza with `Filename` as it is in the mirror.
private func relocated(_ stanza: String, _ placed: PlacedPackage) -> String {
    guard placed.location != placed.package.path else { return stanza }
    return stanza.split(separator: "\n", omittingEmptySubsequences: false)
        .map { $0.hasPrefix("Filename:") ? "Filename: \(placed.location)" : String($0) }.joined(separator: "\n")
}

/// The packages of the new index that the published one does not know, after all others were carried over. Blocking.
func carryOver(stanzas: FilePath, into builder: PackageIndexBuilder) throws -> [IndexedPackage] {
    var unknown: [IndexedPackage] = []
    try forEachStanza(in: stanzas) { view, _ in
        guard let location = view.field("Filename"), let sha256 = view.field("SHA256"),
            let byteCount = view.field("Size").flatMap({ UInt64($0) })
        else { return }
        let package = try IndexedPackage(
            debianControl: view.text, sha256: sha256.lowercased(), location: location, byteCount: byteCount)
        if try !builder.carryOver(package) { unknown.append(package) }
    }
    return unknown
}

extension Downloader {
    /// Builds and publishes the index of a mirror.
    ///
    /// - Parameter fill: Adds to the builder what is known without reading packages, and gives the others.
    /// - Returns: What the index holds, and a sentence for every package that could not be read.
    func publishIndex(
        of mirror: MirrorDirectory, progress: SyncProgress,
        fill: (PackageIndexBuilder) async throws -> [IndexedPackage]
    ) async throws -> (summary: PackageIndexSummary, remarks: [String]) {
        do {
            let builder = try await blocking { try PackageIndexBuilder(for: mirror) }
            let unknown = try await fill(builder)
            let remarks = try await scan(unknown, of: mirror, into: builder, progress: progress)
            return (try await blocking { try builder.publish() }, remarks)
        } catch let error as PackageIndexError {
            throw StageError.sync(
                .indexFailed, "The package index of \(mirror.releaseID) could not be made: \(error).",
                advice: "The index of before stays in service; check the disk that the mirrors lie on.",
                retryAfter: .seconds(60))
        } catch let error as InvalidValue {
            throw StageError.sync(.metadataRefused, "A package of the mirror has no usable identity: \(error).")
        }
    }

    /// Adds the packages of an RPM repository's metadata: while one piece is written, the next is read.
    ///
    /// - Parameter convert: What the index gets of a package; nil for nothing.
    /// - Throws: ``RPMRepodata/RepodataError`` and ``Packages/PackageIndexError``.
    func stage(
        primary: FilePath, fileLists: FilePath?, into builder: PackageIndexBuilder,
        _ convert: @escaping @Sendable (RepodataPackage) -> StagedPackage?
    ) async throws {
        let reader = try await blocking {
            try RepodataReader(primary: primary, fileLists: fileLists, isWanted: mattersForDebugging)
        }
        @Sendable func piece() throws -> [StagedPackage]? {
            let packages = try reader.next(2048)
            return packages.isEmpty ? nil : packages.compactMap(convert)
        }
        var current = try await blocking { try piece() }
        while let packages = current {
            async let following = blocking { try piece() }
            try await blocking { try builder.add(packages) }
            current = try await following
        }
    }

    private func scan(
        _ packages: [IndexedPackage], of mirror: MirrorDirectory, into builder: PackageIndexBuilder,
        progress: SyncProgress
    ) async throws -> [String] {
        try await withThrowingTaskGroup(of: String?.self) { group in
            var remarks: [String] = []
            var done = 0
            func finishOne() async throws {
                guard let remark = try await group.next() else { return }
                done += 1
                if let remark { remarks.append(remark) }
                await progress.report(
                    "reading packages: \(done) of \(packages.count)",
                    0.8 + 0.19 * Double(done) / Double(packages.count))
            }
            for (started, package) in packages.enumerated() {
                if started >= max(limits.scans, 1) { try await finishOne() }
                group.addTask { try await blocking { try index(package, of: mirror, into: builder) } }
            }
            while done < packages.count { try await finishOne() }
            return remarks
        }
    }
}

/// Reads one package file into the index; gives a sentence when something of it could not be read. Blocking.
private func index(
    _ package: IndexedPackage, of mirror: MirrorDirectory, into builder: PackageIndexBuilder
) throws -> String? {
    let file = try mirror.file(at: package.location)
    var paths: [IndexedPath] = []
    var remark: String?
    do throws(UnreadablePackage) {
        let contents = try scanPackage(file)
        paths = contents.paths
        remark = contents.remarks.first
    } catch {
        remark = error.description
    }
    try builder.add(package, files: paths)
    return remark.map { "\(package.nevra): \($0)" }
}
