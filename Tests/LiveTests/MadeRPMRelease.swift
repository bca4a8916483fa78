import CrashModel
import Sandbox
import SystemPackage
import TestFixtures

/// A distribution of RPMs of the test's own: programs built by rpmbuild in two versions, with the C library, the debugger
/// and the Python of this host packed again; signed, and with metadata by createrepo_c.
actor MadeRPMRelease {
    static let releaseText = "Plum Test Linux release 1 (Mirabelle)"
    /// The same packages, mirrored on first need.
    static let lazyReleaseText = "Plum Test Linux release 2 (Greengage)"

    nonisolated let directory: FilePath
    nonisolated let release: ReleaseID
    nonisolated let lazyRelease: ReleaseID
    /// The same packages, and unsigned ones of somebody else.
    nonisolated let mixedRelease: ReleaseID
    /// The same packages, and Debian's Python with all of its debug files.
    nonisolated let pythonRelease: ReleaseID
    private let made: MadeRelease
    private let key: SigningKey
    private var isReady = false

    nonisolated var repository: FilePath { directory.appending("rpm/repository") }
    /// The tree that has every file of one version in its place, debug symbols too.
    nonisolated func root(_ version: String) -> FilePath { directory.appending("rpm/\(version)/made/root") }
    nonisolated func core(_ name: String, _ version: String) -> FilePath {
        directory.appending("rpm/\(version)/made/cores/\(name)")
    }

    /// Writes the plugin and its key, so that services may start; the packages are made by ``prepare()``.
    init(beside made: MadeRelease) async throws {
        self.made = made
        directory = made.directory
        release = try ReleaseID("plumtest-1-x86_64")
        lazyRelease = try ReleaseID("plumtest-2-x86_64")
        mixedRelease = try ReleaseID("plumtest-3-x86_64")
        pythonRelease = try ReleaseID("plumtest-4-x86_64")
        key = try await SigningKey(rsa: true)
        do {
            // For the guardian.
            try FolderContents.write(
                "\(made.key.home)\n\(key.home)\n".utf8, to: directory.appending("keyrings"))
            try FolderContents.write(key.publicKey, to: directory.appending("keys/plum.asc"))
            try FolderContents.write(
                Self.plugin(repository: directory.appending("rpm/repository")).utf8,
                to: directory.appending("plugins/plumtest.yaml"))
        } catch {
            try await key.remove()
            throw error
        }
    }

    /// Ends the keeper of the key.
    func remove() async throws { try await key.remove() }

    nonisolated var keyring: FilePath { key.home }

    /// Makes the packages, the repository and the cores; only once.
    func prepare() async throws {
        if isReady { return }
        try DebianArchive.makeDirectories(repository)
        let workshop = try RPMWorkshop(in: directory.appending("rpm/workshop"))
        let trees = directory.appending("made/trees")
        async let newer = workshop.buildCrashdemo(version: "2.4.3", release: "1.plum", epoch: 1)
        async let older = workshop.buildCrashdemo(version: "2.4.1", release: "7.plum", epoch: 1)
        async let library = workshop.pack(
            trees.appending("libc6"), as: "glibc", version: "2.36", release: "1.plum",
            tags: ["Provides: rtld(GNU_HASH)", "Provides: libc.so.6()(64bit)"])
        async let debugger = workshop.pack(
            trees.appending("gdb"), as: "gdb", version: "13.1", release: "1.plum", tags: ["Requires: gdb-libraries"])
        async let libraries = workshop.pack(
            trees.appending("gdb-libraries"), as: "gdb-libraries", version: "13.1", release: "1.plum",
            tags: ["Requires: glibc = 2.36", "Requires: gdb-python", "Requires: rtld(GNU_HASH)"])
        async let python = workshop.pack(
            trees.appending("gdb-python"), as: "gdb-python", version: "3.11", release: "1.plum")
        let versions = try await ["2.4.1": older, "2.4.3": newer]
        let host = try await [library, debugger, libraries, python]
        try await workshop.sign(versions.values.flatMap(\.self) + host, with: key)
        for package in versions.values.flatMap(\.self) + host {
            _ = try await runTool(["cp", package.string, repository.string])
        }
        try await RPMWorkshop.describe(repository)
        for (version, packages) in versions {
            try await lay(packages + [host[0]], version)
        }
        isReady = true
    }

    /// Adds other builds of the C and C++ libraries to the repository, not those that the debugger needs, and crashes that
    /// ran with them: `crashdemo` and the others of the version `other-libc`.
    func addCrashWithOtherLibrary() async throws {
        try await prepare()
        try await MadeRelease.shell(
            """
            mkdir -p rpm/other/fetched rpm/other/tree/lib/x86_64-linux-gnu rpm/other/tree/lib64
            (cd rpm/other/fetched && apt-get -q download libc6-amd64-cross libstdc++6-amd64-cross)
            for file in rpm/other/fetched/*.deb; do dpkg -x "$file" rpm/other/unpacked; done
            mkdir -p rpm/other/cxx/usr/lib/x86_64-linux-gnu
            mv rpm/other/unpacked/usr/x86_64-linux-gnu/lib/libstdc++.so.6* rpm/other/cxx/usr/lib/x86_64-linux-gnu/
            cp -a rpm/other/unpacked/usr/x86_64-linux-gnu/lib/*.so* rpm/other/tree/lib/x86_64-linux-gnu/
            ln -s /lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 rpm/other/tree/lib64/ld-linux-x86-64.so.2
            """, in: directory)
        let workshop = try RPMWorkshop(in: directory.appending("rpm/workshop"))
        let library = try await workshop.pack(
            directory.appending("rpm/other/tree"), as: "glibc", version: "2.36", release: "0.plum")
        let cxx = try await workshop.pack(
            directory.appending("rpm/other/cxx"), as: "libstdc++", version: "12.2", release: "0.plum")
        try await add([library, cxx], from: workshop)
        let programs = FolderContents.names(in: repository).filter {
            $0.hasPrefix("crashdemo-") && $0.contains("2.4.3")
        }
        .map { repository.appending($0) }
        try await lay(programs + [library, cxx], "other-libc")
    }

    /// Signs packages and puts them into the repository, or another.
    func add(_ packages: [FilePath], from workshop: RPMWorkshop, to other: FilePath? = nil) async throws {
        let repository = other ?? repository
        try await workshop.sign(packages, with: key)
        for package in packages { _ = try await runTool(["cp", package.string, repository.string]) }
        try await RPMWorkshop.describe(repository)
    }

    /// Lets the mixed release have elfutils' `hello2`, which was built on Fedora 30.
    ///
    /// - Parameter fixtures: The folder of fixtures.
    func addHello(_ fixtures: FilePath) async throws {
        try await prepare()
        let others = directory.appending("rpm/others")
        try DebianArchive.makeDirectories(others)
        try await MadeRelease.shell("cp '\(fixtures)'/elfutils/rpms/fedora30/*.rpm rpm/others/", in: directory)
        try await RPMWorkshop.describe(others)
    }

    /// Adds a program of 32 bits with its library and its C library, which has name and version of the other one, and its
    /// crash: `littledemo` of the version `i686`.
    func addCrashOf32Bits() async throws {
        try await prepare()
        try await MadeRelease.shell(
            """
            mkdir -p rpm/i686/tree/usr/lib32 rpm/i686/tree/usr/lib
            cp -L /lib32/libc.so.6 /lib32/ld-linux.so.2 rpm/i686/tree/usr/lib32/
            ln -s ../lib32/ld-linux.so.2 rpm/i686/tree/usr/lib/ld-linux.so.2
            """, in: directory)
        let workshop = try RPMWorkshop(in: directory.appending("rpm/workshop"))
        async let library = workshop.pack(
            directory.appending("rpm/i686/tree"), as: "glibc", version: "2.36", release: "1.plum", architecture: "i686")
        let packages = try await workshop.buildLittledemo(release: "1.plum") + [library]
        try await add(packages, from: workshop)
        try await lay(packages, "i686", programs: ["littledemo"])
    }

    /// Adds a program with musl instead of glibc, and its crash: `musldemo` of the version `musl`. Nothing in its root is of
    /// the debugger's C library.
    func addCrashWithMusl() async throws {
        try await prepare()
        try await MadeRelease.shell(
            """
            mkdir -p rpm/musl/tree/usr/lib/x86_64-linux-musl
            cp -L /usr/lib/x86_64-linux-musl/libc.so rpm/musl/tree/usr/lib/x86_64-linux-musl/
            ln -s x86_64-linux-musl/libc.so rpm/musl/tree/usr/lib/ld-musl-x86_64.so.1
            """, in: directory)
        let workshop = try RPMWorkshop(in: directory.appending("rpm/workshop"))
        async let library = workshop.pack(
            directory.appending("rpm/musl/tree"), as: "musl", version: "1.2.3", release: "1.plum")
        let packages =
            try await workshop.buildLittledemo(
                named: "musldemo", compiler: "musl-gcc", architecture: "x86_64", release: "1.plum") + [library]
        try await add(packages, from: workshop)
        try await lay(packages, "musl", programs: ["musldemo"])
    }

    /// Puts packages into a root and lets each program crash there.
    private func lay(
        _ packages: [FilePath], _ version: String,
        programs: [String] = ["crashdemo", "crashdemo-threads", "crashdemo-basket"]
    ) async throws {
        let folder = directory.appending("rpm/\(version)")
        try DebianArchive.makeDirectories(folder.appending("made/cores"))
        try await MadeRelease.shell(
            """
            # The debugger that writes them has no privileges.
            chmod 777 made/cores
            mkdir -p made/root/usr/bin made/root/usr/lib made/root/usr/lib64 made/root/usr/sbin
            for name in bin sbin lib lib64; do ln -s usr/$name made/root/$name; done
            """, in: folder)
        try await RPMWorkshop.unpack(packages, into: folder.appending("made/root"))
        try await MadeRelease.shell(
            """
            [ -d made/root/usr/lib/x86_64-linux-gnu ] || exit 0
            for name in libstdc++.so.6 libgcc_s.so.1 libm.so.6; do
                place=made/root/usr/lib/x86_64-linux-gnu/$name
                [ -e $place ] || cp -L /usr/lib/x86_64-linux-gnu/$name $place || cp -L /lib/x86_64-linux-gnu/$name $place
            done
            """, in: folder)
        for name in programs {
            try await MadeRelease.crash(name, as: name, in: folder)
        }
    }

    /// The files that ABRT's client packs.
    nonisolated func problem(
        _ program: String, _ version: String, package: String? = nil, releaseText: String = MadeRPMRelease.releaseText
    ) throws -> [String: [UInt8]] {
        [
            "coredump": try FolderContents.read(core(program, version)),
            "executable": Array("/usr/bin/\(program)".utf8),
            "package": Array((package ?? "crashdemo-1:\(version)").utf8), "os_release": Array(releaseText.utf8),
        ]
    }

    nonisolated func bareGdb(_ program: String, _ version: String) async throws -> String {
        let root = root(version)
        return try await MadeRelease.bareGdb(
            core(program, version), program: "/usr/bin/\(program)", root: root,
            debug: root.appending("usr/lib/debug"))
    }

    static func plugin(repository: FilePath) -> String {
        """
        distribution: plumtest
        display-name: Plum Test Linux
        package-format: rpm
        versions: ['1', '2', '3', '4']
        architectures: [x86_64]
        recognise:
          release-text: ['^Plum Test Linux release ([0-9]+)']
          os-release: { id: [plumtest], version: '^([0-9]+)' }
          package: ['[.]plum([0-9]+)$']
          examples: {}
        debugger: { package: gdb, executable: /usr/bin/gdb }
        keys: [plum.asc]
        repositories:
          - name: everything
            versions: ['1', '3', '4']
            mirrors: ['file://\(repository)']
          - name: python
            versions: ['4']
            mirrors: ['file://\(repository.removingLastComponent().appending("python-repository"))']
          - name: others
            versions: ['3']
            gpgcheck: false
            mirrors: ['file://\(repository.removingLastComponent().appending("others"))']
          - name: on-need
            versions: ['2']
            mirror: lazy
            mirrors: ['file://\(repository)']

        """
    }
}
