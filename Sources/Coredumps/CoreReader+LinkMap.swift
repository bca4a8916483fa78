import CrashModel
import ELF

extension CoreReader {
    private static let maximumLinkMapCount = 4096

    /// Modules of a core without `NT_FILE` (Linux before 3.7): segments that begin with an ELF header, named by the dynamic
    /// loader's list, else by their soname.
    mutating func modulesWithoutFileList(_ notes: CoreNotes, vdso: LoadedModule?) throws(ELFError) -> [LoadedModule] {
        remarks.add("The core has no list of mapped files; they were found by their ELF headers in memory.")
        var images: [MappedImage] = []
        for segment in memory.segments where segment.fileSize > 0 && segment.virtualAddress != vdso?.start {
            if let last = images.last, last.range.contains(segment.virtualAddress) { continue }
            guard images.count < Self.maximumModuleCount else { break }
            if let image = try MappedImage(at: segment.virtualAddress, in: memory, remarks: &remarks) {
                images.append(image)
            }
        }
        let start =
            notes.auxiliary[CoreNotes.AuxiliaryKey.programHeaders] ?? notes.auxiliary[CoreNotes.AuxiliaryKey.entry]
        let main = images.firstIndex { image in start.map { image.range.contains($0) } ?? false }
        var names: [(name: String, dynamic: UInt64)] = []
        if let main { names = try linkMap(of: images[main]) }
        var modules: [LoadedModule] = []
        for (index, image) in images.enumerated() {
            let listed = names.first { image.range.contains($0.dynamic) }?.name
            var name = index == main ? try mainName(notes) : listed
            if name == nil { name = try image.file.soname(mappedAt: image.base) }
            if name == nil {
                remarks.add("The file at 0x\(String(image.base, radix: 16)) has no name in the core.")
            }
            modules.append(
                LoadedModule(
                    path: name ?? "unnamed-0x\(String(image.base, radix: 16))", buildID: image.identity.buildID,
                    start: image.base, end: pageEnd(of: image), kind: index == main ? .executable : .library,
                    packageNote: image.identity.packageNote))
        }
        return modules
    }

    /// Program headers end where the data does; the kernel maps whole pages, of at least 4096 bytes.
    private func pageEnd(of image: MappedImage) -> UInt64 {
        let (sum, overflow) = image.range.upperBound.addingReportingOverflow(4095)
        return overflow ? .max : sum & ~4095
    }

    private func mainName(_ notes: CoreNotes) throws(ELFError) -> String? {
        guard let address = notes.auxiliary[CoreNotes.AuxiliaryKey.executableName],
            let bytes = try memory.cString(at: address, limit: 4096), !bytes.isEmpty
        else { return notes.programName }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The dynamic loader's list of what it loaded: `DT_DEBUG` → r_debug → link_map, link.h.
    private func linkMap(of main: MappedImage) throws(ELFError) -> [(name: String, dynamic: UInt64)] {
        guard let debug = try main.file.dynamicValues()[.debug], debug != 0 else { return [] }
        let word = file.header.elfClass.wordSize
        var found: [(name: String, dynamic: UInt64)] = []
        var next = file.fields(try memory.read(at: debug, count: 2 * word)).word(at: word) ?? 0
        var seen: Set<UInt64> = []
        while next != 0, seen.count < Self.maximumLinkMapCount, seen.insert(next).inserted {
            let entry = file.fields(try memory.read(at: next, count: 4 * word))
            guard let nameAddress = entry.word(at: word), let dynamic = entry.word(at: 2 * word),
                let following = entry.word(at: 3 * word)
            else { break }
            if let name = try memory.cString(at: nameAddress, limit: 4096), !name.isEmpty {
                found.append((String(decoding: name, as: UTF8.self), dynamic))
            }
            next = following
        }
        return found
    }
}
