package import SystemPackage

extension RPMWorkshop {
    /// Builds `crashdemo`: programs in C and C++, one of them with threads, that crash in a library of theirs.
    ///
    /// It comes as `crashdemo`, `-libs`, `-tools` with their debuginfo, and `-debugsource`. The debug files share DWARF in
    /// `/usr/lib/debug/.dwz`. Every version has other line numbers, so a wrong version shows.
    ///
    /// - Parameters:
    ///   - epoch: In the packages' identity; nil for none.
    ///   - release: Such as `3.fc40`.
    /// - Returns: The packages.
    @discardableResult
    package func buildCrashdemo(version: String, release: String, epoch: Int? = nil) async throws -> [FilePath] {
        let name = "crashdemo-\(version)"
        let source = directory.appending(name)
        try DebianArchive.makeDirectories(source)
        // As many lines more at the top as the version has digits of its last part.
        let shift = String(repeating: "\n", count: Int(version.split(separator: ".").last ?? "") ?? 0)
        for (file, text) in Self.sources {
            try FolderContents.write((shift + text).utf8, to: source.appending(file))
        }
        let archive = directory.appending("SOURCES/\(name).tar.gz")
        try await Self.tool(["tar", "-czf", archive.string, "-C", directory.string, name])
        let spec = Self.crashdemo.split(separator: "@", omittingEmptySubsequences: false)
        let values = [version, release, epoch.map { "Epoch: \($0)" } ?? ""]
        let text = zip(spec, values + [""]).map { String($0) + $1 }.joined()
        return try await build(text, as: "\(name)-\(release)")
    }

    /// Version, release and epoch stand where the at signs are.
    private static let crashdemo = """
        Name: crashdemo
        Version: @
        Release: @
        @
        Summary: made by a test
        License: MIT
        Source0: crashdemo-%{version}.tar.gz
        %package libs
        Summary: made by a test
        %package tools
        Summary: made by a test
        %description
        made by a test
        %description libs
        made by a test
        %description tools
        made by a test
        %prep
        %setup -q
        %build
        gcc %{optflags} -fPIC -shared -Wl,-soname,libcrashdemo.so.2 -o libcrashdemo.so.2 shelf.c
        link="-Wl,-rpath,/usr/lib64 -L. -l:libcrashdemo.so.2"
        gcc %{optflags} -o crashdemo main.c $link &
        gcc %{optflags} -pthread -o crashdemo-threads threads.c $link &
        g++ %{optflags} -o crashdemo-basket basket.cpp $link
        wait
        %install
        install -D -m755 -t %{buildroot}/usr/lib64 libcrashdemo.so.2
        install -D -m755 -t %{buildroot}/usr/bin crashdemo crashdemo-threads crashdemo-basket
        %files
        /usr/bin/crashdemo
        %files libs
        /usr/lib64/libcrashdemo.so.2
        %files tools
        /usr/bin/crashdemo-threads
        /usr/bin/crashdemo-basket

        """

    private static let sources = [
        "stock.h": """
        #include <math.h>
        #include <pthread.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        struct crate { char label[24]; int weight; struct crate *below; };
        struct shelf { const char *owner; int apples, limes; struct crate *top; double height; };
        enum season { spring, summer, autumn, winter };
        union price { int cents; double euros; };
        int shelf_weigh(struct shelf *shelf, int times);

        """,
        "shelf.c": """
        #include "stock.h"
        static int look(struct crate *crate) {
            int seen = 41;
            return seen + crate->weight;
        }
        int shelf_weigh(struct shelf *shelf, int times) {
            union price price = { .cents = times };
            if (times > 1) return shelf_weigh(shelf, times - 1) + 1;
            return look(shelf->top) + price.cents;
        }

        """,
        "main.c": """
        #include "stock.h"
        static int serve(const char *guest, int count) {
            struct shelf today = { guest, count, 5, NULL, 1.5 };
            enum season season = autumn;
            return shelf_weigh(&today, 3) + season;
        }
        int main(int count, char **words) { return serve(count > 1 ? words[1] : "Ada", count); }

        """,
        "threads.c": """
        #include "stock.h"
        static pthread_barrier_t gate;
        static void *wait_at_gate(void *name) {
            struct shelf mine = { name, 1, 2, NULL, 0.5 };
            pthread_barrier_wait(&gate);
            pthread_barrier_wait(&gate);
            return (void *)mine.owner;
        }
        int main(void) {
            struct shelf today = { "Ada", 1, 5, NULL, 1.5 };
            pthread_t others[2];
            pthread_barrier_init(&gate, NULL, 3);
            for (int i = 0; i < 2; i++) pthread_create(&others[i], NULL, wait_at_gate, i ? "Carla" : "Berta");
            pthread_barrier_wait(&gate);
            return shelf_weigh(&today, 2);
        }

        """,
        "basket.cpp": """
        #include <map>
        #include <string>
        #include <vector>
        extern "C" {
        #include "stock.h"
        }
        namespace market {
        template <typename Item> struct Basket {
            std::vector<Item> items;
            int weigh(const std::string &who) const {
                struct shelf today = { who.c_str(), (int)items.size(), 5, nullptr, 2.5 };
                return shelf_weigh(&today, 2);
            }
        };
        }
        int main() {
            market::Basket<int> basket{{1, 2, 3}};
            std::map<std::string, int> prices{{"lime", 3}};
            return basket.weigh("Dora") + prices["lime"];
        }

        """,
    ]
}
