import Glibc
import SystemPackage

/// The names of the plugins in a folder, sorted, so that the order in which they are asked is the same everywhere.
func pluginNames(in folder: FilePath) throws(CatalogError) -> [String] {
    do {
        return try namesOfFiles(in: folder).filter { $0.hasSuffix(".yaml") }
    } catch {
        throw CatalogError(file: folder.string, reason: "the folder of plugins cannot be read: \(error)")
    }
}

/// The names in a folder, sorted and without the hidden ones.
func namesOfFiles(in folder: FilePath) throws(Errno) -> [String] {
    guard let directory = opendir(folder.string) else { throw Errno(rawValue: errno) }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
}

/// The text of a plugin, of 1 MiB at most.
func readPlugin(_ path: FilePath) throws(CatalogError) -> String {
    let name = path.lastComponent?.string ?? path.string
    do {
        guard let text = try readText(path, limit: 1 << 20) else {
            throw CatalogError(file: name, reason: "it is larger than 1 MiB, which no plugin needs to be")
        }
        return text
    } catch let error as CatalogError {
        throw error
    } catch {
        throw CatalogError(file: name, reason: "it cannot be read: \(error)")
    }
}

/// The whole of a small text file, or nil when it has more than `limit` bytes.
func readText(_ path: FilePath, limit: Int) throws -> String? {
    let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
    return try file.closeAfter {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer.prefix(count)
            if bytes.count > limit { return nil }
        }
    }
}
