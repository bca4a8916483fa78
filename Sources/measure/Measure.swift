import CrashModel
import Distributions
import Glibc
import JobMessages
import Packages
import ResolveStage
import SystemPackage

/// `measure`: how long a process that is already running takes to resolve a crash, for `make bench`.
@main
struct Measure {
    private static let usage = """
        usage: measure REPOSITORIES PLUGINS KEYS JOB RUNS

        Resolves the ResolveJob in the file JOB once cold and RUNS times warm, and prints: milliseconds cold, median
        milliseconds warm, modules whose package was found, modules from files.
        """

    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard arguments.count == 5, let runs = Int(arguments[4]), (1...100_000).contains(runs) else {
            print(usage)
            exit(64)
        }
        do {
            print(try measure(arguments.map { FilePath($0) }, runs: runs))
        } catch {
            print("measure: \(error)")
            exit(65)
        }
    }

    private static func measure(_ paths: [FilePath], runs: Int) throws -> String {
        let job = try JobCoding.decode(ResolveJob.self, from: try contents(of: paths[3]))
        let catalog = try DistributionCatalog(plugins: paths[1], keys: paths[2])
        let indexes = PackageIndexes(repositories: paths[0])
        let clock = ContinuousClock()
        var resolution: Resolution?
        var times: [Double] = []
        for _ in 0...runs {
            let took = try clock.measure { resolution = try resolve(job.crash, catalog: catalog, indexes: indexes) }
            times.append(took / .milliseconds(1))
        }
        let warm = times.dropFirst().sorted()
        let modules = (resolution?.modules ?? []).filter { $0.status != .virtual }
        let found = modules.filter { $0.binary != nil }.count
        return "\(times[0]) \(warm[warm.count / 2]) \(found) \(modules.count)"
    }

    private static func contents(of path: FilePath) throws -> [UInt8] {
        let file = try FileDescriptor.open(path, .readOnly)
        return try file.closeAfter {
            let size = Int(try file.seek(offset: 0, from: .end))
            return try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                count = try file.read(fromAbsoluteOffset: 0, into: UnsafeMutableRawBufferPointer(buffer))
            }
        }
    }
}
