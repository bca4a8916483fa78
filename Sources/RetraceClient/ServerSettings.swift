/// What `/settings` says: how busy the server is and what it takes.
package struct ServerSettings: Hashable, Sendable {
    package let runningTasks: Int
    package let maxRunningTasks: Int
    /// The largest upload, in bytes; the server says it in MiB.
    package let maxPackedBytes: Int64
    /// The largest sum of the packed files, in bytes; the server says it in MiB.
    package let maxUnpackedBytes: Int64
    /// The media types of uploads.
    package let formats: [String]
    /// The releases that can be retraced, such as `debian-12-x86_64`.
    package let releases: [String]

    /// Reads lines of `key value`; keys that are not known are left out, and so are lines without a blank.
    ///
    /// - Throws: ``ClientError`` with `unavailable` when a limit or the formats are missing: this is no retrace server.
    package init(parsing text: String) throws(ClientError) {
        var values: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            guard let blank = line.firstIndex(of: " ") else { continue }
            values[line[..<blank].lowercased()] = String(line[line.index(after: blank)...])
        }
        func number(_ key: String) throws(ClientError) -> Int64 {
            guard let value = values[key], let number = Int64(value), number >= 0 else { throw Self.lacking(key) }
            return number
        }
        func list(_ key: String) -> [String] { (values[key] ?? "").split(separator: " ").map(String.init) }
        func bytes(_ mebibytes: Int64) -> Int64 { mebibytes > Int64.max >> 20 ? .max : mebibytes << 20 }
        runningTasks = Int(clamping: try number("running_tasks"))
        maxRunningTasks = Int(clamping: try number("max_running_tasks"))
        maxPackedBytes = bytes(try number("max_packed_size"))
        maxUnpackedBytes = bytes(try number("max_unpacked_size"))
        formats = list("supported_formats")
        releases = list("supported_releases")
        guard !formats.isEmpty else { throw Self.lacking("supported_formats") }
    }

    private static func lacking(_ key: String) -> ClientError {
        ClientError(
            .unavailable, "The server's /settings does not tell \(key), so it is probably not a retrace server.",
            advice: "Check the address given with --server or RETRACE_SERVER_URI.")
    }

    /// Which format to send: the one asked for, else zstd where the server takes it (it packs many times faster), else
    /// what ABRT sends.
    ///
    /// - Throws: ``ClientError`` with `refused` when the server takes none of them.
    package func choose(_ wanted: ArchiveFormat?) throws(ClientError) -> ArchiveFormat {
        let candidates = wanted.map { [$0] } ?? [.zstd, .xz, .gzip, .tar]
        guard let format = candidates.first(where: { formats.contains($0.mediaType) }) else {
            throw ClientError(
                .refused, "The server does not take \(wanted?.rawValue ?? "any format that this client packs").",
                advice: "It takes: \(formats.joined(separator: ", ")).")
        }
        return format
    }

    /// - Parameter byteCount: The sum of the sizes of the files to pack.
    /// - Throws: ``ClientError`` with `unavailable` when the server is busy, `refused` when the files are too large.
    package func checkBeforePacking(byteCount: Int64) throws(ClientError) {
        guard runningTasks < maxRunningTasks else {
            throw ClientError(
                .unavailable, "The server is busy with as many tasks as it takes (\(maxRunningTasks)).",
                advice: "Try again in a while.")
        }
        guard byteCount <= maxUnpackedBytes else {
            throw ClientError(
                .refused,
                "The crash has \(mebibytes(byteCount)) MiB; the server takes at most \(mebibytes(maxUnpackedBytes)) MiB.",
                advice: "Ask its operator for a higher limit (limits.unpacked).")
        }
    }

    /// - Throws: ``ClientError`` with `refused` when the archive is larger than the server takes.
    package func checkPacked(byteCount: Int64) throws(ClientError) {
        guard byteCount <= maxPackedBytes else {
            throw ClientError(
                .refused,
                "Packed, the crash has \(mebibytes(byteCount)) MiB; the server takes at most "
                    + "\(mebibytes(maxPackedBytes)) MiB.",
                advice: "Try --format xz, which packs best, or ask its operator for a higher limit (limits.packed).")
        }
    }

    private func mebibytes(_ bytes: Int64) -> Int64 { (bytes + (1 << 20) - 1) >> 20 }
}
