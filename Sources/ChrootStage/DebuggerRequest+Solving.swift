import CrashModel
import Dependencies
import Distributions
import Glibc
import Packages
import SystemPackage

extension DebuggerRequest {
    /// The files of ``MirrorDirectory/solvables`` that packages are solved with.
    func metadataFiles() throws(BlockingError) -> [FilePath] {
        switch format {
        case .deb: return [mirror.debianStanzas].filter { access($0.string, R_OK) == 0 }
        case .rpm:
            do throws(Errno) {
                return try DirectoryHandle(mirror.solvables).entries().map(\.text).sorted()
                    .filter { $0.contains("primary.xml") || $0.contains("filelists.xml") }
                    .map { mirror.solvables.appending($0) }
            } catch Errno.noSuchFileOrDirectory {
                return []
            } catch {
                throw .system(error)
            }
        }
    }

    func solve(_ files: [FilePath], _ stamps: [MetadataStamp]) throws(BlockingError) -> DebuggerClosure {
        guard !files.isEmpty else { throw .stage(notMirrored("the release has never been synchronised")) }
        let solved: [SolvedPackage]
        do throws(DependencyError) {
            let solver =
                switch format {
                case .deb: try DependencySolver(debianPackages: files, architecture: releaseID.architecture)
                case .rpm: try DependencySolver(rpmMetadata: .pairs(of: files), architecture: releaseID.architecture)
                }
            solved = try solver.closure(of: [debugger.package])
        } catch {
            throw .stage(notMirrored("\(error)"))
        }
        guard let own = solved.first(where: { $0.nevra.name == debugger.package }) else {
            throw .stage(notMirrored("\(debugger.package) is only provided by another package"))
        }
        var packages: [WantedPackage] = []
        for package in solved {
            guard let sha256 = package.sha256 else {
                throw .stage(notMirrored("the metadata has no SHA-256 of \(package.nevra)"))
            }
            packages.append(
                WantedPackage(nevra: package.nevra, sha256: sha256, location: package.location, mirror: mirror))
        }
        return DebuggerClosure(debugger: own.nevra, packages: packages, metadata: stamps)
    }

    private var absenceStart: String {
        "The mirror of \(releaseID) has no complete \(debugger.package) to look at the crash with: "
    }

    /// What ``notMirrored(_:)`` was given.
    func absenceDetail(in failure: StageError) -> String? {
        guard failure.reason.hasPrefix(absenceStart) else { return nil }
        return String(failure.reason.dropFirst(absenceStart.count).dropLast())
    }

    func notMirrored(_ detail: String) -> StageError {
        StageError(
            .build, .debuggerNotMirrored, "\(absenceStart)\(detail).",
            advice: "An administrator can mirror it: retrace sync \(releaseID.release.distribution) "
                + "\(releaseID.release.version) \(releaseID.architecture) \(debugger.package)")
    }
}

extension [RPMMetadata] {
    /// Each `…primary.xml…` with the `…filelists.xml…` that is named like it, if there is one.
    fileprivate static func pairs(of files: [FilePath]) -> [RPMMetadata] {
        let names = Set(files.map(\.string))
        return files.filter { $0.lastComponent?.string.contains("primary.xml") ?? false }.map { primary in
            let directory = primary.removingLastComponent()
            let own = primary.lastComponent?.string ?? ""
            let lists = own.split(separator: "primary.xml", maxSplits: 1, omittingEmptySubsequences: false)
                .joined(separator: "filelists.xml")
            let file = directory.appending(lists)
            return RPMMetadata(primary: primary, fileLists: names.contains(file.string) ? file : nil)
        }
    }
}
