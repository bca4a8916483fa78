import CrashModel

/// The kernel's own description of itself for dump tools: lines `KEY=value`.
///
/// Source: Documentation/admin-guide/kdump/vmcoreinfo.rst and kernel/vmcore_info.c of Linux.
struct VmcoreInfo {
    /// Of the keys that are understood, the first value each.
    private var values: [String: String] = [:]

    /// The kernel gives it one page; the largest pages have 64 KiB.
    static let maximumBytes = 65_536
    /// Values are numbers and names; what is longer is no value of a kernel's.
    private static let maximumValueBytes = 256

    private static let understood: Set<String> = [
        "OSRELEASE", "BUILD-ID", "PAGESIZE", "KERNELOFFSET", "CRASHTIME", "SYMBOL(init_uts_ns)",
        "OFFSET(uts_namespace.name)", "SYMBOL(init_top_pgt)", "SYMBOL(init_level4_pgt)", "SYMBOL(swapper_pg_dir)",
        "NUMBER(phys_base)", "NUMBER(pgtable_l5_enabled)", "NUMBER(sme_mask)",
    ]

    /// - Parameters:
    ///   - bytes: The content of the note, at most ``maximumBytes`` of it; zeros behind it are filling.
    ///   - isCut: Whether there was more; then the last line without an end is no line.
    init(_ bytes: [UInt8], isCut: Bool = false, remarks: inout Remarks) {
        let end =
            isCut
            ? bytes.lastIndex(of: UInt8(ascii: "\n")) ?? 0 : bytes.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0
        for line in bytes[..<end].split(separator: UInt8(ascii: "\n")) {
            guard let separator = line.firstIndex(of: UInt8(ascii: "=")),
                line.distance(from: line.startIndex, to: separator) < 64
            else { continue }
            let key = String(decoding: line[..<separator], as: UTF8.self)
            guard Self.understood.contains(key) else { continue }
            let value = line[(separator + 1)...]
            let text = String(decoding: value.prefix(Self.maximumValueBytes + 1), as: UTF8.self)
            if value.count > Self.maximumValueBytes {
                remarks.add("VMCOREINFO has a \(key) of \(value.count) bytes, which no kernel writes; it was ignored.")
            } else if let known = values[key] {
                if known != text {
                    remarks.add("VMCOREINFO has \(key) twice, with different values; the first one counts.")
                }
            } else {
                values[key] = text
            }
        }
    }

    var isEmpty: Bool { values.isEmpty }

    /// `OSRELEASE`; nil, with a remark, when it is no release of a kernel.
    func release(remarks: inout Remarks) -> KernelRelease? {
        guard let text = values["OSRELEASE"] else { return nil }
        guard let release = try? KernelRelease(text) else {
            remarks.add(
                "VMCOREINFO says OSRELEASE=\(Remarks.quoted(text)), which is no kernel's release; it was ignored.")
            return nil
        }
        return release
    }

    func buildID(remarks: inout Remarks) -> BuildID? {
        guard let text = values["BUILD-ID"] else { return nil }
        guard let buildID = try? BuildID(text) else {
            remarks.add("VMCOREINFO says BUILD-ID=\(Remarks.quoted(text)), which is no build-id; it was ignored.")
            return nil
        }
        return buildID
    }

    func pageBytes(remarks: inout Remarks) -> Int? {
        guard let text = values["PAGESIZE"] else { return nil }
        guard let size = Int(text), (1024...(1 << 20)).contains(size), size & (size - 1) == 0 else {
            remarks.add("VMCOREINFO says PAGESIZE=\(Remarks.quoted(text)), which no machine has; it was ignored.")
            return nil
        }
        return size
    }

    /// How far the kernel was moved from where it was linked, in bytes.
    var kaslrOffset: UInt64? { hexadecimal("KERNELOFFSET") }
    /// Seconds since 1970.
    var crashTime: UInt64? { values["CRASHTIME"].flatMap { UInt64($0) } }

    /// The address of a variable as the kernel ran.
    func symbol(_ name: String) -> UInt64? { hexadecimal("SYMBOL(\(name))") }
    func offset(_ member: String) -> UInt64? { values["OFFSET(\(member))"].flatMap { UInt64($0) } }
    /// A number, which the kernel prints signed.
    func number(_ name: String) -> UInt64? {
        values["NUMBER(\(name))"].flatMap { text in Int64(text).map { UInt64(bitPattern: $0) } ?? UInt64(text) }
    }

    private func hexadecimal(_ key: String) -> UInt64? {
        values[key].flatMap { UInt64($0.hasPrefix("0x") ? $0.dropFirst(2) : $0[...], radix: 16) }
    }
}
