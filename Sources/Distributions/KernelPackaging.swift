package import CrashModel

/// How a distribution packages the symbols of its kernels: the key `kernel` of a plugin.
///
/// Each text may hold `$RELEASE` (what `uname -r` says), and the parts that RPM distributions make it of: `$VERSION`,
/// `$BUILD` (rpm's release), `$ARCH`, `$RT` (`-rt` or nothing), `$FLAVOUR` (`-debug` or nothing) and `$GLUED` (`debug` or
/// nothing).
package struct KernelPackaging: Hashable, Sendable {
    /// The names of the packages that have vmlinux and the modules' debug files.
    let packages: [String]
    /// Where vmlinux lies in them, the likeliest first.
    let vmlinux: [String]
    /// The directories of the modules' debug files, in the order of ``vmlinux``'s; the last stands for all further ones.
    let modules: [String]
    /// What may stand behind the architecture, such as `debug`.
    let flavours: [String]
    /// Where else RPMs of kernels are, for those that no mirror has: addresses that may hold `$PACKAGE` for the file's name
    /// besides, which otherwise comes behind a slash.
    let sources: [String]

    /// The absolute paths at which a package may have that kernel's vmlinux, the likeliest first.
    package func vmlinuxPaths(of release: KernelRelease, _ architecture: Architecture) -> [String] {
        texts(vmlinux, release, architecture)
    }

    /// The directory of the modules' debug files that belongs to a vmlinux; ends in a slash. nil where the plugin names none.
    package func modulesDirectory(
        beside vmlinux: String, of release: KernelRelease, _ architecture: Architecture
    ) -> String? {
        var template = modules.first
        var name = architecture.rpmNames.first ?? architecture.rawValue
        for candidate in architecture.rpmNames.reversed() {
            for (place, path) in self.vmlinux.enumerated().reversed()
            where text(path, release, candidate) == vmlinux {
                template = place < modules.count ? modules[place] : modules.last
                name = candidate
            }
        }
        guard let directory = template.map({ text($0, release, name) }) else { return nil }
        return directory.hasSuffix("/") ? directory : directory + "/"
    }

    /// The names of the packages that may have that kernel's vmlinux.
    package func packageNames(of release: KernelRelease, _ architecture: Architecture) -> [String] {
        texts(packages, release, architecture)
    }

    /// Whether a package of one of ``packageNames(of:_:)`` is of that very kernel, as far as its version can say.
    package func isOf(_ release: KernelRelease, _ package: NEVRA) -> Bool {
        if namesCarryRelease { return true }
        let version = KernelVersion(release, flavours: flavours)
        return package.version == version.version
            && (package.release == version.release
                || version.isReleaseCut && package.release.hasPrefix(version.release + "."))
    }

    /// Whether the package's name alone tells the kernel, as Debian's does.
    private var namesCarryRelease: Bool { packages.allSatisfy { $0.contains("$RELEASE") } }

    /// The addresses at which ``sources`` may have an RPM with that kernel's symbols, the likeliest first.
    func sourceAddresses(of release: KernelRelease, _ architecture: Architecture) -> [String] {
        let version = KernelVersion(release, flavours: flavours)
        guard !version.release.isEmpty else { return [] }
        var addresses: [String] = []
        for name in version.architecture.map({ [$0] }) ?? architecture.rpmNames {
            let identity = "\(version.version)-\(version.release).\(name).rpm"
            for address in texts(sources, release, name) {
                for package in texts(packages, release, name) {
                    addresses.append(
                        address.contains(Self.fileName)
                            ? address.replacing(Self.fileName, with: "\(package)-\(identity)")
                            : (address.hasSuffix("/") ? address : address + "/") + "\(package)-\(identity)")
                }
            }
        }
        return addresses
    }

    private static let fileName = "$PACKAGE"

    /// What the templates become for every name that the architecture may have in them.
    private func texts(_ templates: [String], _ release: KernelRelease, _ architecture: Architecture) -> [String] {
        var all: [String] = []
        for name in architecture.rpmNames {
            for text in texts(templates, release, name) where !all.contains(text) { all.append(text) }
        }
        return all
    }

    private func texts(_ templates: [String], _ release: KernelRelease, _ architecture: String) -> [String] {
        var all: [String] = []
        for template in templates {
            let text = text(template, release, architecture)
            if !all.contains(text) { all.append(text) }
        }
        return all
    }

    private func text(_ template: String, _ release: KernelRelease, _ architecture: String) -> String {
        let version = KernelVersion(release, flavours: flavours)
        // A flavour such as rt-debug says realtime itself. One package of Enterprise Linux 4 has the symbols of all flavours.
        let flavour =
            version.release.contains(".EL")
            ? ""
            : version.flavour.map { $0.hasPrefix("rt-") ? String($0.dropFirst(3)) : $0 == "rt" ? "" : $0 } ?? ""
        let words = [
            ("$RELEASE", release.description), ("$VERSION", version.version), ("$BUILD", version.release),
            ("$ARCH", version.architecture ?? architecture), ("$RT", version.isRealtime ? "-rt" : ""),
            ("$FLAVOUR", flavour.isEmpty ? "" : "-" + flavour), ("$GLUED", version.flavour ?? ""),
        ]
        return words.reduce(template) { $0.replacing($1.0, with: $1.1) }
    }
}

extension Architecture {
    /// What RPMs of kernels for it may be built for (rpm's `arch_compat`), the likeliest first.
    fileprivate var rpmNames: [String] {
        switch self {
        case .i386: ["i686", "i586", "i486", "i386"]
        case .armhfp: ["armv7hl", "armv7hnl", "armv7l", "armv5tel", "armhfp"]
        case .ppc64: ["ppc64", "ppc64iseries"]
        case .x86_64, .aarch64, .ppc64le, .s390x: [rawValue]
        }
    }
}

extension KernelPackaging {
    static let known = ["packages", "vmlinux", "modules", "flavours", "sources"]

    /// - Throws: ``CatalogError`` for a path that is not absolute, a word in capitals that nobody replaces, an empty list,
    ///   and sources where packages have no signatures of their own.
    init(_ entry: PluginMapping, format: PackageFormat) throws(CatalogError) {
        packages = try entry.texts("packages")
        vmlinux = try entry.texts("vmlinux")
        modules = try entry.texts("modules")
        flavours = entry.has("flavours") ? try entry.texts("flavours") : KernelVersion.knownFlavours
        sources = try entry.texts("sources")
        guard sources.isEmpty || format == .rpm else {
            throw entry.error(
                "sources",
                "a .deb has no signature of its own, so that nothing would verify it: name an archive in 'repositories'"
            )
        }
        for source in sources where !Self.isAddress(source) {
            throw entry.error(
                "sources",
                "'\(source)' must be an absolute path or begin with http://, https:// or file:///, without '..', '?' or a user"
            )
        }
        guard !packages.isEmpty else { throw entry.error("packages", "name at least one, such as kernel-debuginfo") }
        guard !vmlinux.isEmpty else { throw entry.error("vmlinux", "name at least one path of vmlinux") }
        for (key, paths) in [("vmlinux", vmlinux), ("modules", modules)] {
            for path in paths where !path.hasPrefix("/") || path.split(separator: "/").contains("..") {
                throw entry.error(key, "'\(path)' must be an absolute path")
            }
        }
        let all = [("packages", packages), ("vmlinux", vmlinux), ("modules", modules), ("sources", sources)]
        for (key, texts) in all {
            let known = Self.words + (key == "sources" ? ["PACKAGE"] : [])
            for text in texts {
                for word in text.split(separator: "$", omittingEmptySubsequences: false).dropFirst() {
                    let name = word.prefix { $0.isUppercase }
                    guard known.contains(String(name)) else {
                        throw entry.error(
                            key,
                            "'$\(name)' is not known; known are "
                                + known.map { "$\($0)" }.joined(separator: ", "))
                    }
                }
            }
        }
    }

    /// Addresses with a user or password are refused, because logs and reports would show them.
    private static func isAddress(_ text: String) -> Bool {
        guard !text.split(separator: "/").contains(".."),
            !text.contains(where: { "@?#".contains($0) || $0.isWhitespace })
        else { return false }
        return ["/", "http://", "https://", "file:///"].contains(where: text.hasPrefix)
    }

    private static let words = ["RELEASE", "VERSION", "BUILD", "ARCH", "RT", "FLAVOUR", "GLUED"]
}
