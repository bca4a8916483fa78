import CrashModel
import Dependencies
import SystemPackage
import TestFixtures
import Testing

@Suite struct RPMMetadataTests {
    @Test func closureFollowsRequires() throws {
        let primary = """
            <?xml version="1.0" encoding="UTF-8"?>
            <metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="3">
            \(element("gdb", "x86_64", requires: "libpython3.so()(64bit)"))
            \(element("python3-libs", "x86_64", provides: "libpython3.so()(64bit)"))
            \(element("other", "noarch"))
            </metadata>
            """
        try withScratchFiles([Array(primary.utf8)], suffix: ".xml") { files throws in
            let solver = try DependencySolver(
                rpmMetadata: [RPMMetadata(primary: files[0])], architecture: .x86_64)
            #expect(solver.packageCount == 3)
            let closure = try solver.closure(of: ["gdb"])
            #expect(
                closure.map(\.nevra.description) == ["gdb-2:1.0-1.fc40.x86_64", "python3-libs-2:1.0-1.fc40.x86_64"])
            #expect(closure[0].location == "Packages/gdb-1.0-1.fc40.x86_64.rpm")
            #expect(closure[0].sha256 == String(repeating: "ab", count: 32))
            #expect(throws: DependencyError.unknownPackage("vim")) { try solver.closure(of: ["vim"]) }
        }
    }

    @Test func otherXMLHasNoPackages() throws {
        try withScratchFiles([Array("<html/>".utf8)], suffix: ".xml") { files throws in
            #expect(throws: DependencyError.self) {
                try DependencySolver(rpmMetadata: [RPMMetadata(primary: files[0])], architecture: .x86_64)
            }
        }
    }

    private func element(
        _ name: String, _ architecture: String, requires: String? = nil, provides: String? = nil
    ) -> String {
        let required = requires.map { "<rpm:requires><rpm:entry name=\"\($0)\"/></rpm:requires>" } ?? ""
        let provided = provides.map { "<rpm:provides><rpm:entry name=\"\($0)\"/></rpm:provides>" } ?? ""
        return """
            <package type="rpm"><name>\(name)</name><arch>\(architecture)</arch>
            <version epoch="2" ver="1.0" rel="1.fc40"/>
            <checksum type="sha256" pkgid="YES">\(String(repeating: "ab", count: 32))</checksum>
            <location href="Packages/\(name)-1.0-1.fc40.\(architecture).rpm"/>
            <format>\(provided)\(required)</format></package>
            """
    }
}
