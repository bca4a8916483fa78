/// A release on an architecture: what one mirror and one package index are made for.
///
/// The text form is ABRT's release id, `<distribution>-<version>-<architecture>`, such as `debian-12-x86_64`.
package struct ReleaseID: Hashable, Sendable, CustomStringConvertible {
    package let release: Release
    package let architecture: Architecture

    package init(release: Release, architecture: Architecture) {
        self.release = release
        self.architecture = architecture
    }

    /// - Throws: ``InvalidValue`` unless `text` has three parts separated by dashes, the last an architecture.
    package init(_ text: some StringProtocol) throws(InvalidValue) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3 else {
            throw InvalidValue(noun: "release id", text: text, expected: "it is written like debian-12-x86_64")
        }
        release = try Release(distribution: parts[0], version: parts[1])
        architecture = try Architecture(parts[2])
    }

    package var description: String { "\(release)-\(architecture)" }
}
