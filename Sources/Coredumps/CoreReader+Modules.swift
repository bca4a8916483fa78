import CrashModel
import ELF

extension CoreReader {
    /// The most modules that are told: the process with the most libraries known has some thousands.
    static let maximumModuleCount = 16_384

    /// The executable first, then by address.
    mutating func readModules(_ notes: CoreNotes, _ architecture: Architecture) throws(ELFError) -> [LoadedModule] {
        let vdso = try readVDSO(notes, architecture)
        var modules =
            if let files = notes.files {
                try modules(from: files, notes)
            } else {
                try modulesWithoutFileList(notes, vdso: vdso)
            }
        if let vdso { modules.append(vdso) }
        return modules.filter { $0.kind == .executable }
            + modules.filter { $0.kind != .executable }.sorted { $0.start < $1.start }
    }

    /// The kernel's own image; its soname is read from it, or known by the architecture when it was not dumped.
    private mutating func readVDSO(_ notes: CoreNotes, _ architecture: Architecture) throws(ELFError) -> LoadedModule? {
        guard let base = notes.auxiliary[CoreNotes.AuxiliaryKey.vdso], base != 0 else { return nil }
        let image = try MappedImage(at: base, in: memory, remarks: &remarks)
        let usual =
            switch architecture {
            case .i386: "linux-gate.so.1"
            case .ppc64, .ppc64le, .s390x: "linux-vdso64.so.1"
            case .x86_64, .aarch64, .armhfp: "linux-vdso.so.1"
            }
        let soname = try image?.file.soname(mappedAt: base).flatMap { Remarks.isHostile($0) ? nil : $0 }
        let end = memory.segment(at: base)?.memoryEnd ?? image?.range.upperBound ?? base
        return LoadedModule(
            path: soname ?? usual, buildID: image?.identity.buildID, start: base, end: end, kind: .virtual)
    }

    /// Modules by `NT_FILE`: mappings of one file within the span of its first page's program headers are one module.
    private mutating func modules(from files: [MappedRange], _ notes: CoreNotes) throws(ELFError) -> [LoadedModule] {
        var drafts: [Draft] = []
        var latest: [[UInt8]: Int] = [:]
        for range in files.sorted(by: { $0.start < $1.start }) {
            if let index = latest[range.path], drafts[index].takes(range, isNext: index == drafts.count - 1) {
                drafts[index].add(range)
                if drafts[index].image == nil, range.offset == 0 {
                    drafts[index].image = try MappedImage(at: range.start, in: memory, remarks: &remarks)
                }
                continue
            }
            guard drafts.count < Self.maximumModuleCount else {
                remarks.add("More than \(Self.maximumModuleCount) files are mapped; the rest are not listed.")
                break
            }
            let image = range.offset == 0 ? try MappedImage(at: range.start, in: memory, remarks: &remarks) : nil
            latest[range.path] = drafts.count
            let start = try range.offset == 0 && image == nil ? memory.read(at: range.start, count: 4) : []
            drafts.append(Draft(range, image, beginsOtherwise: start.count == 4 && !ELFHeader.hasMagic(start)))
        }
        let main = try executableIndex(in: drafts, notes)
        var modules: [LoadedModule] = []
        var unread: [String] = []
        for (index, draft) in drafts.enumerated() {
            guard let module = module(draft, isMain: index == main) else { continue }
            modules.append(module)
            if draft.image == nil { unread.append(module.path) }
        }
        remarkUnread(unread)
        return modules
    }

    /// The program is what holds the entry point and its own program headers; the kernel tells both addresses.
    private mutating func executableIndex(in drafts: [Draft], _ notes: CoreNotes) throws(ELFError) -> Int? {
        for key in [CoreNotes.AuxiliaryKey.entry, CoreNotes.AuxiliaryKey.programHeaders] {
            guard let address = notes.auxiliary[key],
                let index = drafts.firstIndex(where: { $0.contains(address) })
            else { continue }
            return try programStarted(by: index, in: drafts) ?? index
        }
        guard let first = drafts.indices.first(where: { drafts[$0].isModule(memory) }) else { return nil }
        remarks.add("The core does not say where the program starts; the first mapped file is taken for it.")
        return first
    }

    /// For `ld.so PROGRAM` the kernel knows the loader only; debuggers need the program.
    private mutating func programStarted(by index: Int, in drafts: [Draft]) throws(ELFError) -> Int? {
        guard let loader = drafts[index].image, loader.identity.type == .shared, loader.identity.interpreter == nil,
            try loader.file.soname(mappedAt: loader.base)?.hasPrefix("ld") ?? loaderName(drafts[index].path)
        else { return nil }
        for (other, draft) in drafts.enumerated() where other != index {
            guard let image = draft.image, try image.isProgram() else { continue }
            let name = Remarks.quoted(String(decoding: drafts[index].path, as: UTF8.self))
            remarks.add("The program was started through the dynamic loader \(name).")
            return other
        }
        return nil
    }

    private func loaderName(_ path: [UInt8]) -> Bool {
        path.split(separator: UInt8(ascii: "/")).last?.starts(with: "ld".utf8) ?? false
    }

    private mutating func module(_ draft: Draft, isMain: Bool) -> LoadedModule? {
        guard isMain || draft.isModule(memory) else { return nil }
        var path = String(decoding: draft.path, as: UTF8.self)
        let deleted = " (deleted)"
        if path.hasSuffix(deleted) {
            path.removeLast(deleted.count)
            remarks.add("\(Remarks.quoted(path)) had been deleted or replaced on disk when the process crashed.")
        }
        if Remarks.isHostile(path) {
            remarks.add("The path \(Remarks.quoted(path)) holds control characters; no package has such a file.")
        }
        return LoadedModule(
            path: path, buildID: draft.image?.identity.buildID, start: draft.start, end: draft.end,
            kind: isMain ? .executable : .library, packageNote: draft.image?.identity.packageNote)
    }

    private mutating func remarkUnread(_ paths: [String]) {
        guard let first = paths.first else { return }
        let others = paths.count == 1 ? "" : " and of \(paths.count - 1) more files"
        remarks.add(
            "The ELF header of \(Remarks.quoted(first))\(others) is not in the core, so the build-id is not known; "
                + "bit 4 of /proc/PID/coredump_filter would keep it.")
    }

    /// The mappings of one file that make up one module, so far.
    struct Draft {
        let path: [UInt8]
        /// Whether the core holds the beginning of the file, and that is no ELF header.
        let beginsOtherwise: Bool
        var image: MappedImage?
        let start: UInt64
        private(set) var end: UInt64
        private var ranges: [Range<UInt64>]

        init(_ range: MappedRange, _ image: MappedImage?, beginsOtherwise: Bool) {
            self.beginsOtherwise = beginsOtherwise
            path = range.path
            self.image = image
            start = range.start
            end = range.end
            ranges = [range.start..<range.end]
        }

        /// Whether a later mapping of the same file belongs to this module and not to a second one.
        ///
        /// - Parameter isNext: Whether no other file is mapped between the two; without an ELF header that must do.
        func takes(_ range: MappedRange, isNext: Bool) -> Bool {
            guard let image, image.base == start, !image.file.segmentsAreCut, !image.range.isEmpty else {
                return isNext
            }
            return range.start < image.range.upperBound
        }

        mutating func add(_ range: MappedRange) {
            end = max(end, range.end)
            ranges.append(range.start..<range.end)
        }

        func contains(_ address: UInt64) -> Bool { ranges.contains { $0.contains(address) } }

        /// Locale archives, fonts and caches are mapped too; programs and libraries have an ELF header, or code where the
        /// core does not hold the header. Code that some runtime made has neither header nor package.
        func isModule(_ memory: CoreMemory) -> Bool {
            if image != nil { return true }
            guard !beginsOtherwise, !Self.runtimePrefixes.contains(where: { path.starts(with: $0.utf8) })
            else { return false }
            return ranges.contains { memory.isExecutable($0) }
        }

        /// Names that Linux gives to memory that no file on disk holds.
        private static let runtimePrefixes = [
            "/memfd:", "/SYSV", "/dev/zero", "/dev/shm/", "/anon_hugepage", "anon_inode:",
        ]
    }
}
