import CrashModel
import ELF
import Glibc

/// Looks for the kernel's release in the first bytes of a dump or its memory, where no header tells it.
///
/// In this order of preference: `OSRELEASE=`, `BOOT_IMAGE=/vmlinuz-`, `Linux version … <date>`, text that looks as a
/// release does. One pass in bounded memory. In a machine's bare memory the kernel may lie anywhere, so there the beginnings
/// of further pages are looked at, too: VMCOREINFO has a page of its own.
struct KernelReleaseScan {
    private(set) var release: KernelRelease?
    /// How the release was found, a sentence.
    private(set) var evidence = "Nothing in the dump tells which kernel ran."
    /// The first line of the kernel's log.
    private(set) var banner: String?
    /// VMCOREINFO as it lies in memory, where the release was found by it.
    private(set) var info: VmcoreInfo?

    /// How far is looked, in bytes.
    static let reach: UInt64 = 64_000_000
    /// How far the beginnings of pages are looked at, in bytes.
    static let pageReach: UInt64 = 1 << 30
    private static let blockBytes = 1 << 20
    /// A match may begin before the end of a block and reach so far beyond.
    private static let overlapBytes = 1024

    private static let rules: [(text: [UInt8], evidence: String)] = [
        (Array("OSRELEASE=".utf8), "The memory in the dump has a line OSRELEASE=, which kernels keep for dump tools."),
        (Array("BOOT_IMAGE=/vmlinuz-".utf8), "The boot command line in the dump's memory names the kernel's file."),
        (Array("Linux version ".utf8), "The dump's memory has the first line of a kernel's log."),
    ]
    private static let guess = "Text in the dump's memory looks as a kernel's release does; nothing else tells."

    /// - Parameter isBareMemory: Whether the source is the memory of a machine, byte for byte.
    /// - Throws: ``ELFError/unreadable(_:)``.
    init(_ source: any ByteSource, isBareMemory: Bool, remarks: inout Remarks) throws(ELFError) {
        var found: [KernelRelease?] = [nil, nil, nil, nil]
        var block: UInt64 = 0
        let end = min(source.byteCount, Self.reach)
        while block < end, found[0] == nil {
            let bytes = try source.read(at: block, count: Self.blockBytes + Self.overlapBytes)
            if bytes.isEmpty { break }
            for (index, rule) in Self.rules.enumerated() where found[index] == nil || (index == 2 && banner == nil) {
                for start in Self.matches(of: rule.text, in: bytes) {
                    guard let release = take(index, bytes, start) else { continue }
                    if index == 0 { info = try Self.info(source, at: block + UInt64(start), remarks: &remarks) }
                    found[index] = found[index] ?? release
                    break
                }
            }
            if found[3] == nil, found[1] == nil, found[2] == nil { found[3] = Self.guessed(bytes) }
            block += UInt64(Self.blockBytes)
        }
        if isBareMemory, found[0] == nil { found[0] = try take(fromPagesOf: source, remarks: &remarks) }
        guard let best = found.firstIndex(where: { $0 != nil }) else { return }
        release = found[best]
        evidence = best < Self.rules.count ? Self.rules[best].evidence : Self.guess
    }

    /// The release at the beginning of the page of VMCOREINFO, or behind the head of its note (kernel/crash_core.c of Linux:
    /// `vmcoreinfo_data`, `vmcoreinfo_note`).
    private mutating func take(
        fromPagesOf source: any ByteSource, remarks: inout Remarks
    ) throws(ELFError) -> KernelRelease? {
        let text = Self.rules[0].text
        var block = Self.reach & ~4095
        while block < min(source.byteCount, Self.pageReach) {
            let bytes = try source.read(at: block, count: Self.blockBytes)
            for page in stride(from: 0, to: bytes.count, by: 4096) {
                for start in [page, page + 24]
                where start < bytes.count && bytes[start] == text[0] && bytes[start...].starts(with: text) {
                    guard let release = take(0, bytes, start) else { continue }
                    info = try Self.info(source, at: block + UInt64(start), remarks: &remarks)
                    return release
                }
            }
            if bytes.isEmpty { break }
            block += UInt64(Self.blockBytes)
        }
        return nil
    }

    /// The release behind a match of a rule; nil when that is none.
    private mutating func take(_ rule: Int, _ bytes: [UInt8], _ start: Int) -> KernelRelease? {
        let rest = bytes[(start + Self.rules[rule].text.count)...]
        guard let release = Self.release(rest) else { return nil }
        if rule == 2 {
            let line = bytes[start...].prefix(512).prefix { $0 != 0 && $0 != UInt8(ascii: "\n") }
            guard Self.hasDate(line) else { return nil }
            banner = banner ?? String(decoding: line, as: UTF8.self)
        }
        return release
    }

    /// The characters up to a zero or white space, when a kernel could have such a release.
    private static func release(_ bytes: ArraySlice<UInt8>) -> KernelRelease? {
        let word = bytes.prefix(65).prefix { !($0 == 0 || $0 == 0x20 || (0x09...0x0d).contains($0)) }
        return try? KernelRelease(String(decoding: word, as: UTF8.self))
    }

    /// Whether a time (`12:34:56`) or a day (`2026-11-16`) stands in the line, as behind every kernel's `#1 SMP`.
    private static func hasDate(_ line: ArraySlice<UInt8>) -> Bool {
        let shape = line.map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) ? UInt8(ascii: "0") : $0 }
        return ["00:00:00", "0000-00-00"].contains { !matches(of: Array($0.utf8), in: shape).isEmpty }
    }

    /// Where a text begins, at most the first 4096 places.
    private static func matches(of text: [UInt8], in bytes: [UInt8]) -> [Int] {
        // The byte to look for first: one that is rare where there is much text.
        let anchor = text.firstIndex(of: UInt8(ascii: "=")) ?? 0
        return bytes.withUnsafeBytes { all in
            var places: [Int] = []
            guard let base = all.baseAddress, all.count >= text.count else { return places }
            let end = all.count - text.count + anchor + 1
            var cursor = anchor
            while places.count < 4096, cursor < end,
                let hit = memchr(base + cursor, Int32(text[anchor]), end - cursor)
            {
                let place = UnsafeRawPointer(hit) - base - anchor
                if memcmp(base + place, text, text.count) == 0 { places.append(place) }
                cursor = place + anchor + 1
            }
            return places
        }
    }

    /// The first text of the form `N.N.N-N.…`.
    private static func guessed(_ bytes: [UInt8]) -> KernelRelease? {
        bytes.withUnsafeBytes { all -> KernelRelease? in
            guard let base = all.baseAddress else { return nil }
            var cursor = 0
            while cursor < all.count, let hit = memchr(base + cursor, 0x2d, all.count - cursor) {
                let dash = UnsafeRawPointer(hit) - base
                cursor = dash + 1
                guard let start = startOfVersion(before: dash, in: all) else { continue }
                var tail = dash + 1
                while tail < all.count, isDigit(all[tail]) { tail += 1 }
                guard tail > dash + 1, tail < all.count, all[tail] == UInt8(ascii: ".") else { continue }
                if let release = release(ArraySlice(all[start..<min(all.count, start + 66)])) { return release }
            }
            return nil
        }
    }

    private static func startOfVersion(before dash: Int, in all: UnsafeRawBufferPointer) -> Int? {
        var cursor = dash
        for part in 0..<3 {
            let end = cursor
            while cursor > 0, end - cursor < 4, isDigit(all[cursor - 1]) { cursor -= 1 }
            guard cursor < end else { return nil }
            if part == 2 { break }
            guard cursor > 0, all[cursor - 1] == UInt8(ascii: ".") else { return nil }
            cursor -= 1
        }
        // In the middle of a word it is a part of something else.
        let before = cursor > 0 ? all[cursor - 1] : 0
        return before < 0x30 && before != UInt8(ascii: ".") && before != UInt8(ascii: "-") ? cursor : nil
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    /// VMCOREINFO, which begins with its release, when there is more of it than that line.
    private static func info(
        _ source: any ByteSource, at offset: UInt64, remarks: inout Remarks
    ) throws(ELFError) -> VmcoreInfo? {
        let text = try source.read(at: offset, count: 8192).prefix { $0 != 0 }
        guard text.count > 64 else { return nil }
        let info = VmcoreInfo(Array(text), remarks: &remarks)
        return info.pageBytes(remarks: &remarks) == nil ? nil : info
    }
}
