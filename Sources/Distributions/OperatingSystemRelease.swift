/// The fields of an os-release(5) file that name a release.
struct OperatingSystemRelease: Sendable {
    private let fields: [String: String]

    /// Reads the shell-like assignments of os-release(5); nil when `text` has no `ID=`, as ABRT's one-line form.
    ///
    /// Only the first 16 KiB count.
    init?(_ text: String) {
        var fields: [String: String] = [:]
        for line in String(decoding: text.utf8.prefix(16_384), as: UTF8.self).split(whereSeparator: \.isNewline) {
            guard let equals = line.firstIndex(of: "="), line.first != "#" else { continue }
            fields[String(line[..<equals])] = Self.unquoted(line[line.index(after: equals)...])
        }
        guard fields["ID"] != nil else { return nil }
        self.fields = fields
    }

    var id: String { fields["ID"] ?? "" }
    var versionID: String? { fields["VERSION_ID"] }
    var codename: String? { fields["VERSION_CODENAME"] }
    var prettyName: String? { fields["PRETTY_NAME"] }

    /// The values of all fields, in the order of their names.
    var values: [String] { fields.sorted { $0.key < $1.key }.map(\.value) }

    private static func unquoted(_ value: Substring) -> String {
        guard let quote = value.first, quote == "\"" || quote == "'", value.last == quote, value.count > 1 else {
            return String(value)
        }
        return String(value.dropFirst().dropLast())
    }
}
