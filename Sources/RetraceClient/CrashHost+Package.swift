extension CrashHost {
    /// The package that owns a file on this machine, as `name-[epoch:]version-release`; nil when none does.
    func package(owning path: String) async -> String? {
        for spelling in Self.spellings(of: path) {
            if let found = await debianPackage(owning: spelling) { return found }
        }
        for spelling in Self.spellings(of: path) {
            let format = "%{NAME}-%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\\n"
            guard let answer = await run(["rpm", "-qf", "--queryformat", format, "--", spelling]) else { continue }
            if let line = answer.split(separator: "\n").first, !line.contains(" ") { return String(line) }
        }
        return nil
    }

    /// dpkg knows a file by the path in its package, which on merged-/usr systems may be either spelling (Debian's
    /// usrmerge).
    static func spellings(of path: String) -> [String] {
        let merged = ["/bin/", "/sbin/", "/lib/", "/lib32/", "/lib64/", "/libx32/"]
        if merged.contains(where: path.hasPrefix) { return [path, "/usr" + path] }
        if path.hasPrefix("/usr"), merged.contains(where: path.dropFirst(4).hasPrefix) {
            return [path, String(path.dropFirst(4))]
        }
        return [path]
    }

    private func debianPackage(owning path: String) async -> String? {
        guard let answer = await run(["dpkg-query", "--search", Self.escaped(path)]) else { return nil }
        for line in answer.split(separator: "\n") {
            // `libc6:amd64, libc6:i386: /path`; a line about a diversion names no owner (dpkg-query(1)).
            guard line.hasSuffix(": \(path)"), !line.hasPrefix("diversion by ") else { continue }
            let owner = line.dropLast(path.count + 2).split(separator: ",").first.map(String.init) ?? ""
            let format = "${Package}-${Version}\\n"
            guard !owner.isEmpty, let version = await run(["dpkg-query", "--show", "--showformat", format, owner])
            else { continue }
            if let first = version.split(separator: "\n").first { return String(first) }
        }
        return nil
    }

    /// dpkg-query takes the path as a pattern.
    private static func escaped(_ path: String) -> String {
        path.map { "*?[\\".contains($0) ? "\\\($0)" : String($0) }.joined()
    }
}
