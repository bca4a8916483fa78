package import SystemPackage

/// Files of the checkout that the tests were built in.
package enum Checkout {
    /// Where something lies, by its path from the top.
    package static func path(_ path: String) -> FilePath {
        var root = FilePath(#filePath)
        for _ in 0..<3 { root.removeLastComponent() }
        return root.appending(path)
    }

    /// The bytes of a file, by its path from the top.
    package static func read(_ path: String) throws -> [UInt8] {
        let file = try FileDescriptor.open(Self.path(path), .readOnly, options: .closeOnExec)
        return try file.closeAfter {
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65536)
            while true {
                let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
                if count == 0 { return bytes }
                bytes += buffer[..<count]
            }
        }
    }
}
