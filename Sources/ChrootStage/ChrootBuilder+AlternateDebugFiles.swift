import CrashModel
import ELF
import Packages
import SystemPackage

/// A dwz file that a debug file shares DWARF with.
struct AlternateDebugFile: Sendable {
    /// The debug file, as the resolution names it.
    let debugFile: String
    /// Of the package that has the debug file.
    let releaseID: ReleaseID
    /// Where gdb will look for it, absolute and best first.
    let candidates: [String]
    let buildID: BuildID
}

extension ChrootBuilder {
    /// The parts with the files that their debug files lead to, and a remark for each that is nowhere.
    ///
    /// They are looked for in the packages of the parts first, then in the index of the release that the debug
    /// file is of.
    ///
    /// - Throws: ``CrashModel/StageError`` when the store or the file system fails.
    func alternateDebugFiles(
        of given: [RootPart], resolution: Resolution, progress: BuildProgress
    ) async throws(StageError) -> (parts: [RootPart], remarks: [String]) {
        let search = try await blockingCalls("reading debug files") { () throws(Errno) in
            try AlternateSearch(in: given)
        }
        guard !search.unknown.isEmpty else { return (search.parts, search.remarks) }
        let indexes = self.indexes
        let found = try await blocking("looking for shared debug files") { () throws(BlockingError) in
            search.unknown.map { alternate -> (AlternateDebugFile, IndexedFile?) in
                // An index that cannot be read costs the shared names only; the resolver has told of it already.
                let files = (try? indexes.index(of: alternate.releaseID)?.files(with: alternate.buildID)) ?? []
                return (alternate, files.first { $0.kind == .dwz } ?? files.first)
            }
        }
        let wanted = found.compactMap { alternate, file in file.map { ($0, alternate.releaseID) } }
        let answers = try await unpack(
            wanted.map { file, releaseID in
                WantedPackage(
                    nevra: file.package.nevra, sha256: file.package.sha256, location: file.package.location,
                    mirror: MirrorDirectory(releaseID, in: repositories))
            }, of: "shared debuginfo", progress: progress)
        var parts = search.parts
        var unavailable: [String: String] = [:]
        for ((file, releaseID), answer) in zip(wanted, answers) {
            switch answer {
            case .leased(let lease):
                parts.append(
                    RootPart(package: file.package.nevra, releaseID: releaseID, lease: lease, files: [file.path]))
            case .unavailable(let reason):
                unavailable[file.path] = reason
            }
        }
        var remarks = search.remarks
        for (alternate, file) in found where file.map({ unavailable[$0.path] != nil }) ?? true {
            let module = resolution.modules.first { $0.debuginfo?.path == alternate.debugFile }?.module.path
            remarks.append(
                "Some names and types of \(module ?? alternate.debugFile) are missing: its debuginfo shares a file "
                    + "(build-id \(alternate.buildID)) that is "
                    + (file.flatMap { unavailable[$0.path] } ?? "in no mirrored package") + ".")
        }
        return (parts, remarks)
    }
}

/// The debug files of the parts read for their `.gnu_debugaltlink`. Blocking.
private struct AlternateSearch: Sendable {
    private(set) var parts: [RootPart]
    /// Those that no part has.
    private(set) var unknown: [AlternateDebugFile] = []
    private(set) var remarks: [String] = []

    init(in given: [RootPart]) throws(Errno) {
        parts = given
        var trees: [DirectoryHandle] = []
        for part in given { trees.append(try DirectoryHandle(part.lease.tree)) }
        var seen: Set<BuildID> = []
        for (index, part) in given.enumerated() {
            for file in part.files ?? [] {
                let alternate: AlternateDebugFile
                do throws(ELFError) {
                    guard let read = try Self.read(file, of: part, in: trees[index]) else { continue }
                    alternate = read
                } catch {
                    remarks.append("\(file) of \(part.package) is no usable debug file: \(error).")
                    continue
                }
                guard seen.insert(alternate.buildID).inserted else { continue }
                let order = [index] + given.indices.filter { $0 != index }
                if try !take(alternate, from: trees, order: order) { unknown.append(alternate) }
            }
        }
    }

    /// Adds the file to the part that has it; a part that is taken as a whole has it in the root anyway.
    private mutating func take(
        _ alternate: AlternateDebugFile, from trees: [DirectoryHandle], order: [Int]
    ) throws(Errno) -> Bool {
        for index in order {
            for candidate in alternate.candidates where try walk(candidate, in: trees[index])?.kind == .file {
                parts[index].files?.append(candidate)
                return true
            }
        }
        return false
    }

    /// nil for a file that is not there, is no ELF file or shares nothing.
    private static func read(
        _ file: String, of part: RootPart, in tree: DirectoryHandle
    ) throws(ELFError) -> AlternateDebugFile? {
        // Whatever is wrong with the way to the file is told when it is linked.
        guard let found = try? walk(file, in: tree), found.kind == .file else { return nil }
        let source = try FileByteSource(found.components.reduce(part.lease.tree) { $0.appending($1) })
        guard ELFHeader.hasMagic(try source.read(at: 0, count: 4)),
            let link = try ELFFile(source).debugAltLink()
        else { return nil }
        let directory = "/" + found.components.dropLast().joined(separator: "/")
        let named = link.path.hasPrefix("/") ? link.path : directory + "/" + link.path
        return AlternateDebugFile(
            debugFile: file, releaseID: part.releaseID, candidates: [named, link.buildID.debugPath],
            buildID: link.buildID)
    }
}
