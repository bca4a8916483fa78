extension MadeRelease {
    /// Compiles the programs, and lays out what is in each package and, all in one, what is on the machine that crashes.
    static let compilation = """
        mkdir -p made/source made/cores made/trees; chmod 777 made/cores
        cd made/source
        cat > shelf.h <<'TEXT'
        struct order { int lemons; int limes; const char *customer; };
        int shelf_weigh(const struct order *order, int depth);
        TEXT
        cat > shelf.c <<'TEXT'
        #include "shelf.h"
        static int look(volatile int *label) { int seen = 41; return *label + seen; }
        int shelf_weigh(const struct order *order, int depth) {
            int weight = order->lemons * 2 + order->limes;
            if (depth == 0) return look((int *)0);
            return shelf_weigh(order, depth - 1) + weight;
        }
        TEXT
        cat > main.c <<'TEXT'
        #define _GNU_SOURCE
        #include <pthread.h>
        #include <unistd.h>
        #include "shelf.h"
        static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
        static void *wait_at_gate(void *customer) {
            const char *waiting = customer;
            pthread_mutex_lock(&gate);
            return (void *)waiting;
        }
        static int serve(const char *customer, int orders) {
            struct order today = { 3, 5, customer };
            int boxes = orders + 1;
            return shelf_weigh(&today, 3) + boxes;
        }
        int main(int count, char **words) {
            pthread_t other;
            pthread_mutex_lock(&gate);
            if (count > 1) {
                pthread_create(&other, 0, wait_at_gate, "Berta");
                usleep(50000);
            }
            (void)words;
            return serve("Ada", count);
        }
        TEXT
        flags="-g -O0 -Wall -Wl,--build-id -ffile-prefix-map=$PWD=/source"
        gcc $flags -shared -fPIC -Wl,-soname,libcrashdemo.so.1 -o libcrashdemo.so.1 shelf.c
        gcc $flags -pthread -o crashdemo main.c libcrashdemo.so.1
        sed 's/serve/deal_with/' main.c > stranger.c
        gcc $flags -pthread -o stranger stranger.c libcrashdemo.so.1
        gcc $flags -static -o loner shelf.c main.c
        cd ../..
        place() { # FILE PACKAGE PATH: the stripped file, and its symbols by build-id
            id=$(readelf -n made/source/$1 | sed -n 's/.*Build ID: //p')
            echo "$id" > made/$1.build-id
            rest=${id#??}; debug=made/trees/$2-dbg/usr/lib/debug/.build-id/${id%$rest}
            mkdir -p "$debug" "made/trees/$2$(dirname $3)"
            objcopy --only-keep-debug made/source/$1 "$debug/$rest.debug"
            strip -o made/trees/$2$3 made/source/$1
        }
        place crashdemo crashdemo /usr/bin/crashdemo
        place libcrashdemo.so.1 libcrashdemo1 /usr/lib/x86_64-linux-gnu/libcrashdemo.so.1

        """

    /// Packs the C library and gdb from the files that this host has installed.
    static let packing = """
        files_of() { # every file of a package that is installed here, without manuals and translations
            dpkg -L "$1" | grep -Ev '^/usr/share/(doc|man|info|locale|lintian|bug)|/gconv/|^/etc' | while read -r path; do
                if [ ! -d "$path" ]; then echo "$path"; fi
            done
        }
        files_of libc6 | sed 's,^/,,' > made/libc6.list
        mkdir -p made/trees/libc6 made/trees/gdb made/trees/gdb-libraries made/trees/gdb-python
        tar -c -C / -T made/libc6.list | tar -x -C made/trees/libc6
        files_of gdb | sed 's,^/,,' > made/gdb.list
        tar -c -C / -T made/gdb.list | tar -x -C made/trees/gdb
        ldd /usr/bin/gdb | sed -n 's,.*=> \\(/[^ ]*\\) .*,\\1,p' | while read -r path; do
            grep -qxF "${path#/}" made/libc6.list && continue
            real=$(readlink -f "$path")
            mkdir -p made/trees/gdb-libraries/usr/lib/x86_64-linux-gnu
            cp "$real" "made/trees/gdb-libraries/usr/lib/x86_64-linux-gnu/$(basename "$path")"
        done
        python=$(ldd /usr/bin/gdb | sed -n 's,.*libpython\\(3\\.[0-9]*\\)\\.so.*=> .*,\\1,p')
        tar -c -C / --exclude=__pycache__ --exclude=test --exclude=lib2to3 --exclude=idlelib --exclude='config-*' \\
            --exclude=ensurepip --exclude=unittest --exclude=pydoc_data --exclude=dist-packages \\
            "usr/lib/python$python" | tar -x -C made/trees/gdb-python
        mkdir -p made/root/usr/bin made/root/usr/lib made/root/usr/lib64 made/root/usr/sbin
        for name in bin sbin lib lib64; do ln -s usr/$name made/root/$name; done
        for package in libc6 libcrashdemo1 libcrashdemo1-dbg crashdemo crashdemo-dbg; do
            tar -c -C made/trees/$package . | tar -x -C made/root --keep-directory-symlink
        done
        for name in stranger loner; do strip -o made/root/usr/bin/$name made/source/$name; done

        """
}
