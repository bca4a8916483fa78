package import SystemPackage

extension RPMWorkshop {
    /// Builds `littledemo` 3.1, a program that crashes in a library of its own, with debuginfo.
    ///
    /// - Parameters:
    ///   - name: Of the program and its packages.
    ///   - compiler: `gcc -m32` for a program of 32 bits, `musl-gcc` for one with musl instead of glibc.
    ///   - architecture: Of the packages.
    ///   - release: Such as `1.fc40`.
    package func buildLittledemo(
        named name: String = "littledemo", compiler: String = "gcc -m32", architecture: String = "i686", release: String
    ) async throws -> [FilePath] {
        let source = directory.appending("\(name)-3.1")
        try DebianArchive.makeDirectories(source)
        for (file, text) in Self.littleSources { try FolderContents.write(text.utf8, to: source.appending(file)) }
        try await Self.tool([
            "tar", "-czf", directory.appending("SOURCES/\(name)-3.1.tar.gz").string, "-C", directory.string,
            "\(name)-3.1",
        ])
        var text = Self.littledemo
        for (word, value) in [("@RELEASE", release), ("@COMPILER", compiler), ("@NAME", name)] {
            text = text.split(separator: word, omittingEmptySubsequences: false).joined(separator: value)
        }
        return try await build(text, as: "\(name)-\(release)", definitions: ["_target_cpu": architecture])
    }

    private static let littledemo = """
        Name: @NAME
        Version: 3.1
        Release: @RELEASE
        Summary: made by a test
        License: MIT
        Source0: @NAME-%{version}.tar.gz
        %package libs
        Summary: made by a test
        %description
        made by a test
        %description libs
        made by a test
        %prep
        %setup -q
        %build
        @COMPILER %{optflags} -fPIC -shared -Wl,-soname,liblittle.so.1 -o liblittle.so.1 fall.c
        @COMPILER %{optflags} -o @NAME main.c -Wl,-rpath,/usr/lib -L. -l:liblittle.so.1
        %install
        install -D -m755 -t %{buildroot}/usr/lib liblittle.so.1
        install -D -m755 -t %{buildroot}/usr/bin @NAME
        %files
        /usr/bin/@NAME
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
