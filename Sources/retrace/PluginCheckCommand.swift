import ArgumentParser
import CrashModel
import Distributions
import Glibc
import RetraceClient
import ServiceRuntime

struct PluginCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Checks plugins, their keys and their mirrors, and says what would be synchronised.",
        discussion: """
            Every file of the folder is read and its patterns are tried on its own examples; every fault is told, with \
            file and line. Then, of each enabled distribution, or of the one that is named: are its keys there and valid \
            (gpg), does each mirror answer, and what would a synchronisation fetch. Without VERSION and ARCH all releases \
            are looked at, on their first architecture and on each that has mirrors of its own. Of a distribution that is \
            neither enabled nor named, only the files and keys are.

            A mirror that does not answer is told; a problem it is only when no mirror of a repository answers that is \
            not optional. Missing keys of a distribution that is not enabled are a problem only when it is named.

            Examples:
              retrace plugin check                          all plugins, and the mirrors of what is enabled
              retrace plugin check --no-mirrors             without the network
              retrace plugin check fedora                   is Fedora fit to be enabled?
              retrace plugin check fedora 44 x86_64         one release; also fedora-44-x86_64
              retrace plugin check --plugins ./plugins --keys ./gpg --json

            Exit statuses: 0 all is well, 1 there are problems, 64 the command line or a name in it is not understood.
            """)

    @Argument(
        help: ArgumentHelp(
            "A distribution, or one release: NAME VERSION ARCH, or an id such as debian-12-x86_64.", valueName: "name"))
    var words: [String] = []

    @OptionGroup var folders: PluginOptions

    @Flag(inversion: .prefixedNo, help: "Ask every mirror for its metadata.")
    var mirrors = true

    @Flag(help: "Print one JSON object instead of text.")
    var json = false

    func validate() throws {
        guard [0, 1, 3].contains(words.count) else {
            throw ValidationError("Name nothing, a distribution, or a release as NAME VERSION ARCH.")
        }
    }

    func run() async throws {
        try await reportingErrors { try await check() }
    }

    private func check() async throws {
        let folders = try await folders.folders()
        let survey = PluginSurvey(plugins: folders.plugins, keys: folders.keys)
        let check = PluginCheck(
            survey: survey, asksMirrors: mirrors, now: Int(time(nil)))
        if !json {
            for fault in survey.faults { try Console.print(printable("\(fault)")) }
        }
        var checked: [CheckedDistribution] = []
        for (distribution, releases) in try wanted(survey) {
            let result = await check.check(distribution, releases, isWanted: !words.isEmpty)
            checked.append(result)
            if !json { try result.lines.forEach { line in try Console.print(line) } }
        }
        if json { try Console.print(try PluginCheckReport(survey, checked).text()) }
        let problems = survey.faults.count + checked.map(\.problems.count).reduce(0, +)
        guard problems == 0 else {
            Console.complain("\(problems) \(problems == 1 ? "problem" : "problems").", nil)
            throw ExitCode(ExitStatus.failed.rawValue)
        }
    }

    /// The distributions to look at, with their releases.
    private func wanted(_ survey: PluginSurvey) throws(ClientError) -> [(Distribution, [ReleaseID])] {
        guard let name = words.first else {
            return survey.distributions.map { ($0, Self.releases(of: $0)) }
        }
        let named = words.count == 1 ? try? ReleaseID(name) : nil
        let distribution = survey.distributions.first { $0.name == named?.release.distribution ?? name }
        guard let distribution else {
            // Its own plugin may be the one that cannot be read; then the faults say why.
            if !survey.faults.isEmpty { return [] }
            throw ClientError(
                .usage, "No plugin describes '\(name)'.",
                advice: "Known are \(survey.distributions.map(\.name).joined(separator: ", ")).")
        }
        guard words.count == 3 || named != nil else { return [(distribution, Self.releases(of: distribution))] }
        let asked: ReleaseID
        do {
            asked = try named ?? ReleaseID(words.joined(separator: "-"))
        } catch {
            throw ClientError(.usage, "\(error).")
        }
        guard let release = distribution.listedRelease(for: asked.release),
            distribution.architectures.contains(asked.architecture)
        else {
            throw ClientError(
                .usage, "The plugin of \(distribution.name) lists no \(asked).",
                advice: "It lists the versions \(distribution.versions.map(\.version).joined(separator: ", ")) on "
                    + "\(distribution.architectures.map(\.rawValue).joined(separator: ", ")).")
        }
        return [(distribution, [ReleaseID(release: release, architecture: asked.architecture)])]
    }

    /// Each listed release, on the first architecture that has repositories, and on every other one that has mirrors of its
    /// own, such as Ubuntu's ports.
    private static func releases(of distribution: Distribution) -> [ReleaseID] {
        distribution.versions.flatMap { version -> [ReleaseID] in
            guard let release = try? Release(distribution: distribution.name, version: version.version) else {
                return []
            }
            let all = distribution.architectures.map { ReleaseID(release: release, architecture: $0) }
            var asked: Set<String> = []
            let found = all.filter { releaseID in
                let places = Self.places(of: distribution.repositories(for: releaseID), releaseID.architecture)
                let isNew = !places.isSubset(of: asked)
                asked.formUnion(places)
                return isNew
            }
            return found.isEmpty ? Array(all.prefix(1)) : found
        }
    }

    /// The addresses without what only names the architecture.
    private static func places(of repositories: [Repository], _ architecture: Architecture) -> Set<String> {
        let names = [architecture.rawValue, architecture.debianName]
        return Set(
            repositories.flatMap(\.mirrors).map { mirror in
                mirror.description.split(separator: "/").map { names.contains(String($0)) ? "$ARCH" : String($0) }
                    .joined(separator: "/")
            })
    }
}
