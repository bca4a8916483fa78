package import CrashModel
import FoundationEssentials

extension PackageNote {
    /// Reads the content of a `.note.package`; nil when it is not a small JSON object with the three required fields.
    ///
    /// Nested deeper than 8 levels, with a key twice, or with fields that are over-long or hold control characters, it is
    /// refused.
    /// Source: systemd's ELF_PACKAGE_METADATA specification.
    ///
    /// - Parameter json: The bytes of the note, with any zero bytes that pad them.
    package init?(json: [UInt8]) {
        let text = json.prefix { $0 != 0 }
        guard Self.isPlain(text) else { return nil }
        // What the decoder dislikes is an answer here: the note is only a hint.
        guard let fields = try? JSONDecoder().decode(Fields.self, from: Data(text)),
            let type = Self.plain(fields.type), let name = Self.plain(fields.name),
            let version = Self.plain(fields.version)
        else { return nil }
        self.init(
            type: type, name: name, version: version, architecture: Self.plain(fields.architecture),
            osCPE: Self.plain(fields.osCpe))
    }

    private struct Fields: Decodable {
        let type: String
        let name: String
        let version: String
        let architecture: String?
        let osCpe: String?
    }

    private static func plain(_ field: String?) -> String? {
        guard let field, (1...256).contains(field.utf8.count),
            field.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f })
        else { return nil }
        return field
    }

    /// Whether brackets nest at most 8 deep and no key of the outer object comes twice.
    ///
    /// Decoders differ in which of two equal keys they take, so a note with both could name two packages. A key spelt with
    /// an escape could hide that and is refused too.
    private static func isPlain(_ text: ArraySlice<UInt8>) -> Bool {
        var depth = 0
        var keys: Set<[UInt8]> = []
        var candidate: [UInt8]?
        var rest = text
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = takeString(from: &rest) else { return false }
                candidate = depth == 1 ? string : nil
            case UInt8(ascii: ":"):
                guard let key = candidate else { continue }
                guard !key.contains(UInt8(ascii: "\\")), keys.insert(key).inserted else { return false }
                candidate = nil
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                guard depth <= 8 else { return false }
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
        }
        return true
    }

    /// The raw bytes up to the closing quote; nil when there is none.
    private static func takeString(from rest: inout ArraySlice<UInt8>) -> [UInt8]? {
        var string: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\"") { return string }
            string.append(byte)
            guard byte == UInt8(ascii: "\\") else { continue }
            guard let escaped = rest.popFirst() else { return nil }
            string.append(escaped)
        }
        return nil
    }
}
