package import CrashModel

/// A kernel's release taken apart as RPM distributions put it together: `version-release.architecture`, with the flavour
/// behind a dot or a plus sign, behind a second dash in SUSE's, or glued to the release in Enterprise Linux 5 and older.
///
/// `5.14.0-427.el9.x86_64+debug` is version 5.14.0, release 427.el9, x86_64, flavour debug; `6.4.0-150600.23.25-default` is
/// version 6.4.0, release 150600.23.25, flavour default. What has no dash, or is of another distribution's making, keeps its
/// whole text as ``version``.
package struct KernelVersion: Hashable, Sendable {
    package let version: String
    /// Empty where there is no dash.
    package let release: String
    /// As it is written there, such as `i686`; nil where it is not.
    package let architecture: String?
    package let flavour: String?
    /// Whether the release is only how the package's begins, which has the number of the rebuild behind a further dot: SUSE's.
    package let isReleaseCut: Bool
    /// Whether it is a real-time kernel, which RPM distributions package under `kernel-rt`.
    package let isRealtime: Bool

    /// The flavours that kernels of RPM distributions have had.
    package static let knownFlavours = [
        "64k-debug", "rt-64k-debug", "rt-debug", "rt-64k", "64k", "rt", "debug", "highbank", "hugemem", "kirkwood",
        "largesmp", "lpae", "PAEdebug", "PAE", "omap", "smp", "tegra", "xenU", "xen", "zfcpdump", "default", "uek",
    ]

    package init(_ kernel: KernelRelease, flavours: [String] = knownFlavours) {
        var rest = kernel.description[...]
        var flavour: String?
        func cut(_ separators: [String], leaving isEnough: (Substring) -> Bool = { _ in true }) {
            for name in flavours {
                for separator in separators where rest.hasSuffix(separator + name) && flavour == nil {
                    let shorter = rest.dropLast(separator.count + name.count)
                    guard isEnough(shorter) else { continue }
                    rest = shorter
                    flavour = name
                }
            }
        }
        cut([".", "+"])
        let isDotted = flavour != nil
        // The first dash ends the version.
        cut(["-"]) { $0.contains("-") }
        isReleaseCut = flavour != nil && !isDotted
        var architecture: String?
        if let dot = rest.lastIndex(of: "."), Self.isArchitecture(rest[rest.index(after: dot)...]) {
            architecture = String(rest[rest.index(after: dot)...])
            rest = rest[..<dot]
        }
        // A number stands before what is glued, so that no version's own letters are taken for it.
        if flavour == nil, rest.contains(".EL") || rest.contains(".el5") { cut([""]) }
        if let dash = rest.firstIndex(of: "-") {
            version = String(rest[..<dash])
            release = String(rest[rest.index(after: dash)...])
        } else {
            version = String(rest)
            release = ""
        }
        self.architecture = architecture
        self.flavour = flavour
        isRealtime = release.contains("rt") || flavour?.hasPrefix("rt") == true
    }

    private static func isArchitecture(_ text: Substring) -> Bool {
        (try? Architecture(text)) != nil
            || ["src", "noarch", "s390", "ppc", "ppc64iseries", "sparc", "sparc64", "mips4kec", "ia64"]
                .contains(String(text))
    }
}
