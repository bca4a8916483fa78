import Coredumps
import CrashModel
import ELF
package import NIOPosix
package import SystemPackage

/// The files to pack of a core without a problem directory.
///
/// The executable comes from the core, release and package from the machine; so it must be called where the crash
/// happened unless all is given.
///
/// - Throws: ``ClientError`` with `unusableInput` when the file is no dump, or when something could be found nowhere: the
///   sentence names the option that gives it.
package func readBareCore(
    _ path: FilePath, given: GivenFacts = GivenFacts(), host: CrashHost = .current,
    threadPool: NIOThreadPool = .singleton
) async throws(ClientError) -> CrashFiles {
    let core: CoreFacts
    do {
        core = try await threadPool.runIfActive { try CoreFacts(path) }
    } catch let error as ClientError {
        throw error
    } catch {
        throw ClientError(.system, "The core was not read: \(error).")
    }
    if let kernel = core.kernel { return kernelFiles(path, kernel) }
    guard let executable = given.executable ?? core.executable, executable.hasPrefix("/") else {
        throw ClientError(
            .unusableInput, "The core does not tell the path of the program that crashed.",
            advice: "Give it with --executable /path/of/the/program.")
    }
    let match = host.match(executable, core.buildID)
    guard let release = given.release ?? host.releaseText(), !release.isEmpty else {
        throw ClientError(
            .unusableInput, "This machine has no /etc/os-release that would tell its release.",
            advice: "Give the release with --release, such as --release 'Fedora release 40 (Forty)'.")
    }
    var remarks = core.remarks
    if match == .other, given.release == nil {
        remarks.append(
            "\(executable) on this machine is not the program that crashed; this machine's release is sent all the same."
                + " If the crash happened elsewhere, say where with --release.")
    }
    let package = try await package(of: executable, match, given, host)
    return CrashFiles(
        members: [
            CrashMember(.coredump, .file(path)), CrashMember(.executable, .text(executable)),
            CrashMember(.package, .text(package)), CrashMember(.osRelease, .text(release)),
        ],
        taskType: 0, remarks: remarks.map(printable))
}

private func package(
    of executable: String, _ match: CrashHost.ProgramMatch, _ given: GivenFacts, _ host: CrashHost
) async throws(ClientError) -> String {
    if let package = given.package { return package }
    let advice =
        "Give the package with --package NAME-VERSION; the server finds the true one by build-id, so a near guess will do."
    guard match != .other else {
        throw ClientError(
            .unusableInput,
            "\(printable(executable)) on this machine is not the program that crashed: its build-id is another. It was "
                + "updated since, or the crash happened elsewhere.",
            advice: advice)
    }
    guard let found = await host.package(owning: executable) else {
        throw ClientError(
            .unusableInput, "No package of this machine owns \(printable(executable)), as dpkg and rpm tell.",
            advice: advice)
    }
    return found
}

/// What a core tells of itself.
private struct CoreFacts: Sendable {
    /// The format of a kernel's dump; nil for a program's core.
    var kernel: VmcoreFormat?
    var executable: String?
    var buildID: BuildID?
    var remarks: [String] = []

    init(_ path: FilePath) throws(ClientError) {
        do {
            let source = try FileByteSource(path)
            switch try dumpKind(of: source) {
            case .vmcore(let format): kernel = format
            case .unusable(let sentence):
                throw ClientError(.unusableInput, "\(printable(path.string)) is no dump. \(sentence)")
            case .coredump:
                let core = try readCoredump(source)
                executable = core.executable.map(Self.withoutDeletion)
                buildID = core.modules.first { $0.kind == .executable }?.buildID
                if core.truncation != nil {
                    remarks.append("The core is cut off: the backtrace may lack frames and values.")
                }
            }
        } catch let error as ClientError {
            throw error
        } catch let error as CoredumpError {
            throw ClientError(.unusableInput, "\(printable(path.string)): \(printable(error.description))")
        } catch {
            throw ClientError(unreadable: path, "\(error)")
        }
    }

    /// The kernel marks the path of a file that was replaced while it ran (proc(5), `d_path`).
    private static func withoutDeletion(_ path: String) -> String {
        path.hasSuffix(" (deleted)") ? String(path.dropLast(" (deleted)".count)) : path
    }
}
