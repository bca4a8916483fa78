import CrashModel
import Dependencies
import SystemPackage
import Testing

@Suite struct WholeArchiveTests {
    @Test func archiveOfDebiansSizeIsReadAndSolvedQuickly() throws {
        var text: [UInt8] = []
        for number in 0..<63_000 {
            // Each needs the one at half its number, so that the last one's closure has 16 packages.
            let needed = number == 0 ? "" : "Depends: package\(number / 2) (>= 1)\n"
            text += Array(
                """
                Package: package\(number)
                Version: 1.\(number)-1
                Architecture: amd64
                \(needed)Filename: pool/package\(number).deb
                SHA256: \(String(repeating: "0", count: 64))


                """.utf8)
        }
        try withScratchFiles([text]) { files throws in
            let solver = try DependencySolver(debianPackages: files, architecture: .x86_64)
            #expect(solver.packageCount == 63_000)
            #expect(try solver.closure(of: ["package62999"]).count == 17)
        }
    }
}
