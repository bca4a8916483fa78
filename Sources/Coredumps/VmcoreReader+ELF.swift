import CrashModel
import ELF

extension VmcoreReader {
    /// The most notes that are walked: a processor has a handful, a machine some thousand processors.
    private static let maximumNoteCount = 16_384

    /// Reads the headers and notes of an ELF dump.
    ///
    /// - Parameter isWhole: Whether the source ends where the dump ends.
    mutating func readELF(_ dump: any ByteSource, isWhole: Bool) throws {
        let file = try ELFFile(dump)
        guard let machine = Self.architecture(of: file.header) else {
            throw CoredumpError.unknownMachine(file.header.machine)
        }
        architecture = machine
        var isXen = false
        var infos: [(bytes: [UInt8], isCut: Bool)] = []
        let complete = try file.forEachNote(limit: Self.maximumNoteCount) { (note) throws(ELFError) in
            switch note.name {
            case "VMCOREINFO":
                let content = try file.content(of: note, limit: VmcoreInfo.maximumBytes)
                if infos.count < 2 {
                    infos.append((content.bytes, note.isCut || note.size > UInt64(VmcoreInfo.maximumBytes)))
                }
            case "Xen", "VMCOREINFO_XEN": isXen = true
            default: break
            }
            return true
        }
        for info in infos { take(info: info.bytes, isCut: info.isCut) }
        if !complete {
            remarks.add("The notes of the dump end early or contradict themselves; what follows is missing.")
        }
        if isXen { addXenRemark() }
        if isWhole { checkSegments(file) }
        try readName(dump, file)
    }

    mutating func addXenRemark() {
        remarks.add(
            "The dump is of a Xen host: it holds the hypervisor's memory too, and only the kernel of domain 0 is looked at."
        )
    }

    /// kexec-tools writes 64-bit headers for 32-bit machines with much memory, too.
    private static func architecture(of header: ELFHeader) -> Architecture? {
        switch (header.machine, header.order) {
        case (3, .littleEndian): .i386
        case (40, .littleEndian): .armhfp
        default: header.architecture
        }
    }

    private mutating func checkSegments(_ file: ELFFile) {
        var expected = file.segmentsEnd
        for segment in file.segments where segment.fileSize > 0 {
            guard let end = segment.fileEnd, end <= UInt64(Int64.max) else {
                remarks.add("A segment of the dump ends past the largest possible file; it was ignored.")
                continue
            }
            expected = max(expected, end)
        }
        if file.segmentCount > UInt64(file.segments.count), !file.segmentsAreCut {
            remarks.add("The dump has \(file.segmentCount) segments; only the first \(file.segments.count) were read.")
        }
        guard expected > source.byteCount else { return }
        miss(
            "The dump is cut off: it has \(source.byteCount) of \(expected) bytes, so parts of the memory are missing.",
            expected: expected)
    }

    /// `uname` of the crashed machine, which VMCOREINFO leads to.
    private mutating func readName(_ dump: any ByteSource, _ file: ELFFile) throws(ELFError) {
        guard let info, let variable = info.symbol("init_uts_ns"), let member = info.offset("uts_namespace.name") else {
            return
        }
        let address = variable &+ member
        let holder = file.segments.first {
            $0.kind == .load && address >= $0.virtualAddress && address - $0.virtualAddress < $0.fileSize
        }
        guard let holder else { return }
        let (position, overflow) = holder.offset.addingReportingOverflow(address - holder.virtualAddress)
        guard !overflow, let name = KdumpHeader.Name(try dump.read(at: position, count: 6 * 65)),
            name.system == "Linux"
        else { return }
        banner = name.banner
        headerRelease = try? KernelRelease(name.release)
    }
}
