import CrashModel
import ELF

/// One reading of one kernel's dump.
struct VmcoreReader {
    let source: CountedSource
    let memory: CountedSource?
    let memoryName: String?
    let format: VmcoreFormat
    let file: String
    var remarks = Remarks()

    // What the headers tell.
    var architecture: Architecture?
    var info: VmcoreInfo?
    var headerRelease: KernelRelease?
    var banner: String?
    var dumpLevel: Int?
    var incompleteness: String?
    var truncation: CoreTruncation?
    /// The headers of a compressed dump, for who reads its pages.
    var kdump: (header: KdumpHeader, sub: KdumpSubHeader)?

    /// The headers are below 4 MiB, the search reads 64 MB once more.
    static let maximumBytes: UInt64 = 128 << 20

    /// - Parameter limit: How much is read at most, in bytes; nil for what a whole dump of the format needs.
    init(
        _ source: any ByteSource, _ format: VmcoreFormat, file: String,
        memory: (source: any ByteSource, name: String)?, limit: UInt64? = nil
    ) {
        let limit = limit ?? Self.maximumBytes + (format == .vmware ? KernelReleaseScan.pageReach : 0)
        self.source = CountedSource(source, limit: limit)
        self.memory = memory.map { CountedSource($0.source, limit: limit) }
        memoryName = memory?.name
        self.format = format
        self.file = file
    }

    mutating func read() throws -> Vmcore {
        let searched: any ByteSource
        switch format {
        case .elf:
            try readELF(source, isWhole: true)
            searched = source
        case .kdump:
            try readKdump(source, isWhole: true)
            searched = source
        case .flattened: searched = try readFlattened()
        case .vmware: searched = try readVmware()
        }
        return try answer(searched)
    }

    /// Says once why not all of the dump is there; the first cause counts.
    mutating func miss(_ sentence: String, expected: UInt64? = nil) {
        incompleteness = incompleteness ?? sentence
        remarks.add(sentence)
        if let expected, truncation == nil {
            truncation = CoreTruncation(expectedBytes: expected, actualBytes: source.byteCount)
        }
    }

    /// Takes the text of VMCOREINFO; a dump has it once.
    mutating func take(info bytes: [UInt8], isCut: Bool) {
        guard info == nil else {
            remarks.add("The dump has VMCOREINFO twice; the first one counts.")
            return
        }
        if isCut { remarks.add("VMCOREINFO is cut off or longer than any kernel's; only its beginning was read.") }
        let found = VmcoreInfo(bytes, isCut: isCut, remarks: &remarks)
        if !found.isEmpty { info = found }
    }

    /// The kernel by the headers alone, without a search of the memory, and how they tell it.
    private mutating func namedRelease() -> (release: KernelRelease, evidence: String)? {
        if let named = info?.release(remarks: &remarks) {
            if let other = headerRelease, other != named {
                remarks.add("The dump's header names the kernel \(other), its VMCOREINFO \(named); the latter counts.")
            }
            return (named, "VMCOREINFO in the dump names it (OSRELEASE).")
        }
        return headerRelease.map { ($0, "The dump's header names it (utsname).") }
    }

    /// Reads what the headers tell of the kernel; nil where they do not name it, or not yet.
    mutating func readBeginning() throws -> KernelDump? {
        switch format {
        case .elf: try readELF(source, isWhole: false)
        case .kdump: try readKdump(source, isWhole: false)
        case .flattened: _ = try readFlattened()
        // Its headers name no kernel.
        case .vmware: return nil
        }
        guard let (release, evidence) = namedRelease() else { return nil }
        return KernelDump(
            format: format, release: release, releaseEvidence: evidence, buildID: info?.buildID(remarks: &remarks),
            pageBytes: info?.pageBytes(remarks: &remarks), kaslrOffset: info?.kaslrOffset, dumpLevel: dumpLevel,
            file: file)
    }

    private mutating func answer(_ searched: any ByteSource) throws -> Vmcore {
        var release: KernelRelease?
        let evidence: String
        if let named = namedRelease() {
            release = named.release
            evidence = named.evidence
        } else {
            let scan = try KernelReleaseScan(
                searched, isBareMemory: format == .vmware, remarks: &remarks)
            release = scan.release
            evidence = scan.evidence
            banner = banner ?? scan.banner
            info = info ?? scan.info
            if release == nil {
                remarks.add(
                    "The dump does not tell which kernel ran: no header names it, and the first 64 MB have no text that does."
                )
            }
        }
        guard let architecture = architecture ?? release.flatMap(Self.architecture) ?? usualArchitecture else {
            throw CoredumpError.malformed(
                "The dump does not tell of which machine it is: neither its header nor a kernel's release names one.")
        }
        let dump = KernelDump(
            format: format, release: release, releaseEvidence: evidence, buildID: info?.buildID(remarks: &remarks),
            pageBytes: info?.pageBytes(remarks: &remarks), kaslrOffset: info?.kaslrOffset, dumpLevel: dumpLevel,
            incompleteness: incompleteness, file: file, memoryFile: memoryName)
        return Vmcore(
            dump: dump, architecture: architecture, banner: banner.map { String($0.unicodeScalars.prefix(512)) },
            crashTime: info?.crashTime, byteCount: source.byteCount, truncation: truncation,
            remarks: remarks.sentences, bytesRead: source.bytesRead + (memory?.bytesRead ?? 0))
    }

    /// The machine that dumps of a format are of where nothing tells: VMware's files do not say of which width it is.
    private var usualArchitecture: Architecture? { format == .vmware ? .x86_64 : nil }

    /// The machine in a kernel's release: `….el9.x86_64`, `…-cloud-amd64`, `…-686-pae`, `….el5PAE`.
    private static func architecture(of release: KernelRelease) -> Architecture? {
        let words = release.description.split { ".-+".contains($0) }
        if let named = words.reversed().lazy.compactMap({ try? Architecture($0) }).first { return named }
        // Only machines of 32 bits have PAE, and Debian's flavours for them are numbers: `4.19.0-6-686`.
        if release.description.lowercased().hasSuffix("pae") { return .i386 }
        let parts = release.description.split(separator: "-").suffix(2)
        guard parts.count == 2, let abi = parts.first, let flavour = parts.last, abi.allSatisfy(\.isNumber) else {
            return nil
        }
        return ["486", "586", "686"].contains(flavour) ? .i386 : nil
    }
}
