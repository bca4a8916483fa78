import CrashModel
import IngestStage
import TestFixtures
import Testing

/// Texts that a shell, gdb, dnf or a path would take for more than text; upstream handed them to all four. Here they are
/// only compared and shown, so an upload with one is taken, and the text stays as it is.
@Suite struct HostileTextTests {
    private static let texts = [
        "$(touch /tmp/planted)", "`id`", "-ex", "--repofrompath=x,http://evil.example/", "-rf /", "../../../etc/passwd",
        "/../../etc/passwd", "\"quoted\" 'twice'", "a; rm -rf ~", "%s%n%x", "<script>alert(1)</script>", "a\\b\\n",
        "bash-1 && true", "{0.__class__}", "' OR 1=1 --", "${jndi:ldap://x}",
    ]

    @Test(arguments: texts) func textIsKeptAsTextAndDoesNothing(text: String) throws {
        for name in ["package", "executable", "release", "rootdir"] {
            let files = CrashFiles().replacing(name, with: Array(text.utf8))
            try SentUpload.with(files.tar.archive) { upload in
                let crash = try upload.verdict().get()
                let kept = [
                    "package": crash.reported.package, "executable": crash.reported.executable,
                    "release": crash.reported.release, "rootdir": crash.reported.rootDirectory,
                ]
                #expect(kept[name] == text, "\(name)")
                // The core says which program it was, and no name of a file comes from the upload.
                #expect(crash.executable == "/usr/bin/demo")
                let others = files.files.map(\.name).filter { $0 != "packages" }.sorted().map { "crash/" + $0 }
                #expect(upload.leftovers.sorted() == (["crash"] + others).sorted())
            }
        }
    }
}
