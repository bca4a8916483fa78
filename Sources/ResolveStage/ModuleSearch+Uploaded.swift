import CrashModel
import Packages

extension ModuleSearch {
    /// Finds the package that the client named, such as `bash-5.2.15-5.fc40` or `python3.11-minimal 3.11.2-6`.
    mutating func findUploadedPackage() throws(PackageIndexError) {
        guard let text = crash.reported.package, !text.isEmpty else { return }
        for name in uploadedNames(text) {
            uploaded = try index.packages(named: name).filter { fits($0) && Self.isWritten($0.nevra, text) }
            if !uploaded.isEmpty { return }
        }
    }

    /// Adds the named package to the root when no module comes from it: it is that of a script, and the executable is
    /// its interpreter.
    mutating func addUploadedPackage(to selection: inout PackageSelection) {
        guard let text = crash.reported.package, !text.isEmpty else { return }
        guard let package = uploaded.first(where: { $0.kind == .binary }) else {
            remarks.append("The package '\(printable(text))' that was named with the crash is not mirrored here.")
            return
        }
        guard !uploaded.contains(where: selection.contains) else { return }
        // Another version of a package that the core proves to have run is the client's mistake.
        guard !rows.contains(where: { $0.binary?.package.nevra.name == package.nevra.name }) else {
            remarks.append(
                "The crash was sent as one of \(package.nevra), but the core's build-ids belong to another version.")
            return
        }
        selection.addWhole(package)
        remarks.append("\(package.nevra) is in the root because the crash was sent as one of it; no module is from it.")
    }

    /// What may be the name in front of a version, the longest first; there are few dashes in a package's name.
    private func uploadedNames(_ text: String) -> [String] {
        let word = text.prefix { !$0.isWhitespace }
        let dashes = word.indices.filter { word[$0] == "-" }.suffix(12)
        return [String(word)] + dashes.reversed().map { String(word[..<$0]) }
    }

    /// Whether `text` is a spelling of `nevra`: with or without epoch and architecture, version after a dash or a blank.
    static func isWritten(_ nevra: NEVRA, _ text: String) -> Bool {
        let plain = nevra.version + (nevra.release.isEmpty ? "" : "-" + nevra.release)
        let versions = Set([plain, "\(nevra.epoch):\(plain)"])
        return versions.contains { version in
            let written = ["\(nevra.name)-\(version)", "\(nevra.name) \(version)"]
            return written.contains {
                text == $0 || text == "\($0).\(nevra.architecture)" || text == "\($0) \(nevra.architecture)"
            }
        }
    }
}
