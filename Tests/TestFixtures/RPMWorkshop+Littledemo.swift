package import SystemPackage

extension RPMWorkshop {
    /// Builds `littledemo` 3.1, a program of 32 bits that crashes in a library of its own, with debuginfo: packages of
    /// architecture i686.
    ///
    /// - Parameter release: Such as `1.fc40`.
    package func buildLittledemo(release: String) async throws -> [FilePath] {
        let source = directory.appending("littledemo-3.1")
        try DebianArchive.makeDirectories(source)
        for (file, text) in Self.littleSources { try FolderContents.write(text.utf8, to: source.appending(file)) }
        try await Self.tool([
            "tar", "-czf", directory.appending("SOURCES/littledemo-3.1.tar.gz").string, "-C", directory.string,
            "littledemo-3.1",
        ])
        let text = Self.littledemo.split(separator: "@", omittingEmptySubsequences: false).joined(separator: release)
        return try await build(text, as: "littledemo-\(release)", definitions: ["_target_cpu": "i686"])
    }

    private static let littledemo = """
        Name: littledemo
        Version: 3.1
        Release: @
        Summary: made by a test
        License: MIT
        Source0: littledemo-%{version}.tar.gz
        %package libs
        Summary: made by a test
        %description
        made by a test
        %description libs
        made by a test
        %prep
        %setup -q
        %build
        gcc -m32 %{optflags} -fPIC -shared -Wl,-soname,liblittle.so.1 -o liblittle.so.1 fall.c
        gcc -m32 %{optflags} -o littledemo main.c -Wl,-rpath,/usr/lib -L. -l:liblittle.so.1
        %install
        install -D -m755 -t %{buildroot}/usr/lib liblittle.so.1
        install -D -m755 -t %{buildroot}/usr/bin littledemo
        %files
        /usr/bin/littledemo
        %files libs
        /usr/lib/liblittle.so.1

        """

    private static let littleSources = [
        "fall.c": """
        int little_fall(int *place, int depth) {
            if (depth > 0) return little_fall(place, depth - 1) + 1;
            return *place + depth;
        }

        """,
        "main.c": """
        int little_fall(int *place, int depth);
        static int walk(int steps) {
            int before = 7;
            return little_fall(0, steps) + before;
        }
        int main(void) { return walk(2); }

        """,
    ]
}
