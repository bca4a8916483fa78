package import SystemPackage

/// A file of ``TaskDirectory/results``, as people are told of it.
package struct NamedResult: Hashable, Sendable {
    package let name: String
    package let byteCount: Int
}

extension TaskDirectory {
    /// The named results that are there, by name; one that is being written is not among them. Blocking.
    ///
    /// - Throws: `Errno` when the directory cannot be listed; not when there is none.
    package func namedResults() throws(Errno) -> [NamedResult] {
        try resultNames().compactMap { name in
            // What is no regular file, or has just gone, is no result.
            guard let file = try? ResultFile(at: results.appending(name)) else { return nil }
            return NamedResult(name: name, byteCount: file.byteCount)
        }
    }

    /// The named result of exactly this name; nil when there is none. Blocking.
    ///
    /// - Parameter name: Whatever a client sent: it is compared with the names of the directory and never made into a path
    ///   otherwise.
    /// - Throws: `Errno` when the directory cannot be listed.
    package func namedResult(_ name: String) throws(Errno) -> ResultFile? {
        guard let known = try resultNames().first(where: { $0 == name }) else { return nil }
        return try? ResultFile(at: results.appending(known))
    }

    private func resultNames() throws(Errno) -> [String] {
        do {
            return try Self.names(in: results).filter(Self.isResultName).sorted()
        } catch Errno.noSuchFileOrDirectory {
            return []
        }
    }

    /// Whether a result may have this name: 1 to 64 ASCII letters, digits and inner hyphens. What is being written has a
    /// dot in its name.
    package static func isResultName(_ name: String) -> Bool {
        guard (1...64).contains(name.utf8.count), name.utf8.first != UInt8(ascii: "-") else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
    }
}
