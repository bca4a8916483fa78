import Glibc

/// The signed table of contents of a suite: Debian's `Release` (wiki.debian.org/DebianRepository/Format).
struct ReleaseFile: Sendable {
    let suite: String
    let codename: String
    /// Seconds since the epoch of Unix.
    let date: Int64
    /// After it the file must not be used; nil when the archive sets no end.
    let validUntil: Int64?
    /// Whether every file can be had under its SHA-256 as well, which an archive in the middle of an update needs.
    let offersByHash: Bool
    /// Whether packages of architecture `all` stand in lists of their own only.
    let separatesAll: Bool
    /// The files by path relative to the suite, with the SHA-256 and the size in bytes.
    let files: [String: (sha256: String, byteCount: UInt64)]

    /// nil when `Suite` and `Codename`, `Date` or `SHA256` is missing or malformed.
    init?(_ text: String) {
        var fields: [String: String] = [:]
        var files: [String: (sha256: String, byteCount: UInt64)] = [:]
        var section = ""
        for line in text.split(separator: "\n") {
            if line.first == " " {
                guard section == "sha256" else { continue }
                let words = line.split(separator: " ", omittingEmptySubsequences: true)
                guard words.count == 3, isSHA256(words[0]), let count = UInt64(words[1]) else { return nil }
                files[String(words[2])] = (words[0].lowercased(), count)
            } else if let colon = line.firstIndex(of: ":") {
                section = line[..<colon].lowercased()
                let value = line[line.index(after: colon)...].drop { $0 == " " }
                fields[section] = String(value.prefix { $0 != "\r" })
            }
        }
        guard let date = fields["date"].flatMap(secondsOfDate), !files.isEmpty else { return nil }
        suite = fields["suite"] ?? ""
        codename = fields["codename"] ?? ""
        self.date = date
        self.files = files
        if let end = fields["valid-until"] {
            guard let seconds = secondsOfDate(end) else { return nil }
            validUntil = seconds
        } else {
            validUntil = nil
        }
        offersByHash = fields["acquire-by-hash"] == "yes"
        let words = { (name: String) in (fields[name] ?? "").split(separator: " ") }
        separatesAll =
            words("architectures").contains("all")
            && !words("no-support-for-architecture-all").contains("Packages")
    }
}

/// Whether `text` is a SHA-256 in hexadecimal.
func isSHA256(_ text: some StringProtocol) -> Bool {
    text.utf8.count == 64
        && text.utf8.allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
        }
}

/// The seconds since the epoch of `Sat, 11 Jul 2026 10:16:37 UTC` (RFC 5322, in UTC as Debian demands).
func secondsOfDate(_ text: String) -> Int64? {
    let words = text.split(separator: " ")
    guard words.count == 6, words[5] == "UTC" || words[5] == "GMT" || words[5] == "+0000" || words[5] == "Z" else {
        return nil
    }
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let clock = words[4].split(separator: ":").compactMap { Int32($0) }
    guard let day = Int32(words[1]), let month = months.firstIndex(of: String(words[2])), let year = Int32(words[3]),
        clock.count == 3, (1...31).contains(day), (1970...9999).contains(year)
    else { return nil }
    var time = tm()
    time.tm_year = year - 1900
    time.tm_mon = Int32(month)
    time.tm_mday = day
    (time.tm_hour, time.tm_min, time.tm_sec) = (clock[0], clock[1], clock[2])
    return Int64(timegm(&time))
}
