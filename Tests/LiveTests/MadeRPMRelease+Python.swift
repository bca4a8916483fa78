import Sandbox
import SystemPackage
import TestFixtures

extension MadeRPMRelease {
    /// Adds Debian's Python with its libraries and their debug files, packed again as RPMs, and a package of one script.
    ///
    /// - Parameters:
    ///   - mirror: Of `debian-12-x86_64`, with `python3.11` and its dependencies.
    ///   - script: The file that the program ran.
    func addPython(mirror: FilePath, script: FilePath) async throws {
        try await prepare()
        let folder = directory.appending("rpm/python")
        try DebianArchive.makeDirectories(folder)
        try await MadeRelease.shell(
            """
            for name in libc6 zlib1g libexpat1 libffi8 python3.11-minimal libpython3.11-minimal libpython3.11-stdlib; do
                dpkg-deb -x "$(find '\(mirror)/pool' -name "${name}_*.deb" | sort -V | tail -n 1)" "$name"
                if [ -d "$name/lib" ]; then mkdir -p "$name/usr/lib"; cp -a "$name/lib/." "$name/usr/lib/"; rm -r "$name/lib"; fi
                rm -rf "$name/usr/share/doc" "$name/usr/share/man"
            done
            for name in libc6 python3.11; do
                dpkg-deb -x "$(find '\(mirror)/pool' -name "${name}-dbg_*.deb" | sort -V | tail -n 1)" "$name-all"
                mkdir -p "$name-debuginfo/usr/lib" "$name-debuginfo/usr/share"
                mv "$name-all/usr/lib/debug" "$name-debuginfo/usr/lib/"
                if [ -d "$name-all/usr/share/gdb" ]; then mv "$name-all/usr/share/gdb" "$name-debuginfo/usr/share/"; fi
                rm -r "$name-all"
            done
            mkdir -p crashscript/crash
            cp '\(script)' crashscript/crash/crash.py
            """, in: folder)
        let workshop = try RPMWorkshop(in: directory.appending("rpm/workshop"))
        var packages: [FilePath] = []
        for name in FolderContents.names(in: folder).sorted() {
            packages.append(
                try await workshop.pack(
                    folder.appending(name), as: name, version: name == "crashscript" ? "1.0" : "3.11.2",
                    release: "1.plum",
                    architecture: name == "crashscript" ? "noarch" : "x86_64"))
        }
        let other = directory.appending("rpm/python-repository")
        try DebianArchive.makeDirectories(other)
        try await add(packages, from: workshop, to: other)
    }
}
