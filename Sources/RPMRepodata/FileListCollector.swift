import CXML

/// The files of one package in `filelists.xml`.
struct PackageFiles {
    /// The digest by which `primary.xml` names the package too.
    let id: String
    let files: [String]
    /// Bytes of their names.
    let byteCount: Int
}

/// Collects the names of `filelists.xml` that are wanted.
final class FileListCollector: XMLCollector {
    private(set) var packages: [PackageFiles] = []
    var refusal: RepodataError?
    private(set) var takesText = false

    private let limits: RepodataLimits
    private let isWanted: (UnsafeBufferPointer<UInt8>) -> Bool
    private var depth = 0
    private var text: [UInt8] = []
    private var isTooLong = false
    private var id = ""
    private var files: [String] = []
    private var byteCount = 0

    init(_ limits: RepodataLimits, isWanted: @escaping (UnsafeBufferPointer<UInt8>) -> Bool) {
        self.limits = limits
        self.isWanted = isWanted
    }

    /// Hands over what was collected since the last time.
    func take() -> [PackageFiles] {
        defer { packages.removeAll(keepingCapacity: true) }
        return packages
    }

    func start(_ name: UnsafePointer<xmlChar>, _ attributes: XMLAttributes) {
        depth += 1
        takesText = false
        switch depth {
        case 1:
            if retrace_is_name(name, "filelists") == 0 {
                refusal = .malformed(file: "", reason: "its root element is not 'filelists'")
            }
        case 2:
            id = (attributes.value("pkgid", limit: 128) ?? "").lowercased()
            files = []
            byteCount = 0
        case 3:
            // Directories and files that the package does not bring have a type.
            takesText = attributes.count == 0 && retrace_is_name(name, "file") != 0
            text.removeAll(keepingCapacity: true)
            isTooLong = false
        default: break
        }
    }

    func text(_ bytes: UnsafeBufferPointer<UInt8>) {
        isTooLong = isTooLong || text.count + bytes.count > limits.valueBytes
        if !isTooLong { text.append(contentsOf: bytes) }
    }

    func end(_ name: UnsafePointer<xmlChar>) {
        if takesText {
            takesText = false
            if !isTooLong, text.withUnsafeBufferPointer(isWanted) { takeFile() }
        } else if depth == 2 {
            packages.append(PackageFiles(id: id, files: files, byteCount: byteCount))
        }
        depth -= 1
    }

    private func takeFile() {
        guard files.count < limits.filesPerPackage else {
            refusal = .tooLarge(file: "", reason: "a package has more than \(limits.filesPerPackage) files")
            return
        }
        files.append(String(decoding: text, as: UTF8.self))
        byteCount += text.count
    }
}
