import CrashModel
import ELF
import Glibc
import SystemPackage

/// What a kernel calls itself: `Linux version 6.1.0-56-cloud-amd64 (…) (gcc …) #1 SMP … Debian 6.1.192-2 (2026-11-16)`.
///
/// Two builds of one version differ in it by the number and the date of the build. crash compares it by strings(1), which
/// is not in the sandbox, and lets pass more than is right.
struct KernelBanner: Hashable, Sendable {
    let text: String

    /// `uname -r`.
    var release: Substring { text.dropFirst(Self.start.count).prefix { $0 != " " } }

    private static let start = "Linux version "

    /// From the kernel's log; nil when its first lines are no longer in it: later ones may be a program's.
    init?(log: String) {
        var found: Substring?
        for line in TextLines(log).prefix(3) where found == nil {
            found = line.firstRange(of: Self.start).map { line[$0.lowerBound...] }
        }
        guard let found else { return nil }
        self.init(found)
    }

    /// From the constants of a vmlinux, which may hold more than one: the linking leaves its own behind. None when it is no
    /// vmlinux. Blocking.
    static func banners(in vmlinux: FilePath) -> [KernelBanner] {
        guard let source = try? FileByteSource(vmlinux), let file = try? ELFFile(source),
            let constants = try? file.sections().first(where: { $0.name == ".rodata" && $0.type == 1 })
        else { return [] }
        let piece = 1 << 20
        let sign = Array(start.utf8)
        var banners: [KernelBanner] = []
        var offset: UInt64 = 0
        // The longest kernels have 40 MB of constants; the end of each piece is read again, where a banner may begin.
        while offset < min(constants.size, 256 << 20), banners.count < 16 {
            let count = Int(min(UInt64(piece) + 1024, constants.size - offset))
            guard let bytes = try? source.read(at: constants.offset + offset, count: count) else { break }
            for start in places(of: sign, in: bytes) {
                let line = bytes[start...].prefix(1024).prefix { $0 != 0 && $0 != UInt8(ascii: "\n") }
                if let banner = KernelBanner(Substring(safeText(line))) { banners.append(banner) }
            }
            offset += UInt64(piece)
        }
        return banners
    }

    /// nil for the format in which the kernel keeps it for printing.
    private init?(_ line: Substring) {
        guard line.dropFirst(Self.start.count).first?.isNumber == true else { return nil }
        text = trimmed(bounded(line, to: 1000))
    }

    private static func places(of sign: [UInt8], in bytes: [UInt8]) -> [Int] {
        bytes.withUnsafeBytes { bytes in
            var places: [Int] = []
            guard let base = bytes.baseAddress, let first = sign.first else { return [] }
            var start = 0
            while start + sign.count <= bytes.count,
                let hit = memchr(base + start, CInt(first), bytes.count - sign.count - start + 1)
            {
                let place = base.distance(to: UnsafeRawPointer(hit))
                if memcmp(base + place, sign, sign.count) == 0 { places.append(place) }
                start = place + 1
            }
            return places
        }
    }
}
