/// Why the plugins cannot be used: the file, the line and the key at fault, and what is wrong there.
///
/// A service that meets it refuses to start, because a plugin that is half understood would trust the wrong keys.
package struct CatalogError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The name of the plugin's file, or the path of the folder that cannot be read.
    package let file: String
    /// From 1; nil when the fault is not at one line.
    package let line: Int?
    /// The key at fault, such as `repositories.mirrors`.
    package let key: String?
    /// One sentence that says what is wrong and what would be right.
    package let reason: String

    package init(file: String, line: Int? = nil, key: String? = nil, reason: String) {
        self.file = file
        self.line = line
        self.key = key
        self.reason = reason
    }

    package var description: String {
        file + (line.map { ":\($0)" } ?? "") + ": " + (key.map { "\($0): " } ?? "") + reason
    }
}
