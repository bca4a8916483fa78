import SystemPackage

/// Gives the files of packages in the order in which they are asked for.
final class FileListQueue {
    private let collector: FileListCollector
    private let document: XMLDocument
    private let limits: RepodataLimits
    private let name: String
    /// Read and not asked for yet, in order.
    private var ahead: [PackageFiles] = []
    private var next = 0
    /// Passed over on the way to another package.
    private var waiting: [String: [String]] = [:]
    private var waitingBytes = 0

    init(
        _ file: FilePath, _ limits: RepodataLimits, _ isWanted: @escaping (UnsafeBufferPointer<UInt8>) -> Bool
    ) throws {
        collector = FileListCollector(limits, isWanted: isWanted)
        document = try XMLDocument(file, limit: limits.fileBytes, collector: collector)
        self.limits = limits
        name = file.lastComponent?.string ?? "the file lists"
    }

    /// Empty for a package that the lists do not name.
    func files(of id: String) throws -> [String] {
        if !waiting.isEmpty, let found = waiting.removeValue(forKey: id) {
            waitingBytes -= found.reduce(0) { $0 + $1.utf8.count } + Self.overhead
            return found
        }
        while true {
            while next < ahead.count {
                let package = ahead[next]
                next += 1
                if package.id == id { return package.files }
                waiting[package.id] = package.files
                waitingBytes += package.byteCount + Self.overhead
                guard waitingBytes <= limits.waitingBytes else {
                    throw RepodataError.tooLarge(
                        file: name, reason: "it tells of packages in another order than the list of packages")
                }
            }
            guard try document.advance() else { return [] }
            ahead = collector.take()
            next = 0
        }
    }

    /// What an entry costs beside its names, about.
    private static let overhead = 256
}
