import CXML
import CrashModel

/// Collects the packages of `primary.xml` (createrepo_c's format: one `package` element each, names at its first level).
final class PrimaryCollector: XMLCollector {
    private(set) var packages: [RepodataPackage] = []
    private(set) var unusableCount = 0
    var refusal: RepodataError?
    private(set) var takesText = false

    private var depth = 0
    private var text: [UInt8] = []
    private let limit: Int
    private var current = Fields()

    private struct Fields {
        var name = ""
        var architecture = ""
        var epoch = ""
        var version = ""
        var release = ""
        var sha256 = ""
        var location = ""
        var size = ""
        var source = ""
    }

    init(_ limits: RepodataLimits) { limit = limits.valueBytes }

    /// Hands over what was collected since the last time.
    func take() -> [RepodataPackage] {
        defer { packages.removeAll(keepingCapacity: true) }
        return packages
    }

    // metadata is at depth 1, package at 2, its own values at 3, those of its format at 4.
    func start(_ name: UnsafePointer<xmlChar>, _ attributes: XMLAttributes) {
        depth += 1
        takesText = false
        switch depth {
        case 1:
            if retrace_is_name(name, "metadata") == 0 {
                refusal = .malformed(file: "", reason: "its root element is not 'metadata'")
            }
        case 2: current = Fields()
        case 3: startValue(name, attributes)
        case 4: takesText = retrace_is_name(name, "sourcerpm") != 0
        default: break
        }
        if takesText { text.removeAll(keepingCapacity: true) }
    }

    private func startValue(_ name: UnsafePointer<xmlChar>, _ attributes: XMLAttributes) {
        switch String(cString: name) {
        case "name", "arch": takesText = true
        case "checksum":
            takesText = attributes.value("type") == "sha256" && attributes.value("pkgid")?.uppercased() == "YES"
        case "version":
            current.epoch = attributes.value("epoch") ?? "0"
            current.version = attributes.value("ver") ?? ""
            current.release = attributes.value("rel") ?? ""
        case "location":
            // A base elsewhere would lead away from the mirror that was asked.
            current.location = attributes.value("base") == nil ? attributes.value("href") ?? "" : ""
        case "size": current.size = attributes.value("package") ?? ""
        default: break
        }
    }

    func text(_ bytes: UnsafeBufferPointer<UInt8>) {
        if text.count + bytes.count <= limit { text.append(contentsOf: bytes) }
    }

    func end(_ name: UnsafePointer<xmlChar>) {
        if takesText {
            let value = String(decoding: text, as: UTF8.self)
            switch String(cString: name) {
            case "name": current.name = value
            case "arch": current.architecture = value
            case "checksum": current.sha256 = value.lowercased()
            default: current.source = value
            }
            takesText = false
        } else if depth == 2, retrace_is_name(name, "package") != 0 {
            endPackage()
        }
        depth -= 1
    }

    private func endPackage() {
        // Source packages run nowhere.
        if current.architecture == "src" || current.architecture == "nosrc" { return }
        let isDigest = current.sha256.utf8.count == 64 && current.sha256.allSatisfy(\.isHexDigit)
        guard isDigest, !current.location.isEmpty, let size = UInt64(current.size), size > 0,
            let epoch = Int(current.epoch),
            let nevra = try? NEVRA(
                name: current.name, epoch: epoch, version: current.version, release: current.release,
                architecture: current.architecture)
        else {
            unusableCount += 1
            return
        }
        packages.append(
            RepodataPackage(
                nevra: nevra, sha256: current.sha256, location: current.location, byteCount: size,
                sourceRPM: current.source))
    }
}
