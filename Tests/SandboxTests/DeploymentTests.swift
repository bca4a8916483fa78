import TestFixtures
import Testing

@Suite("Units and images of the services that use the sandbox let it work")
struct DeploymentTests {
    /// The services that start programs in the sandbox, and which programs of the host.
    private static let services = [("ingest", ["makedumpfile"]), ("retracer", ["crash", "makedumpfile"])]

    private func lines(_ path: String) throws -> [Substring] {
        String(decoding: try Checkout.read(path), as: UTF8.self).split(separator: "\n")
    }

    private func unit(_ name: String) throws -> [Substring] {
        try lines("services/\(name)/\(name).service").filter { !$0.hasPrefix("#") }
    }

    /// The words of the commands by which an image or, by the README, a host is made.
    private func packages(_ path: String) throws -> Set<Substring> {
        let commands = try lines(path).filter { $0.hasPrefix("    ") }
        return Set(commands.flatMap { line in line.prefix { $0 != "#" }.split(separator: " ") })
    }

    @Test(arguments: services.map(\.0)) func unitAllowsWhatBubblewrapDoes(_ name: String) throws {
        let unit = try unit(name)
        let namespaces = try #require(unit.filter { $0.hasPrefix("RestrictNamespaces=") }.last)
        let allowed = Set(namespaces.dropFirst("RestrictNamespaces=".count).split(separator: " "))
        #expect(allowed.isSuperset(of: ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"]), "\(namespaces)")
        let filters = unit.filter { $0.hasPrefix("SystemCallFilter=") }
        #expect(
            filters.contains { $0.contains("@system-service") && $0.contains("@mount") && $0.contains("sethostname") })
        // bubblewrap drops capabilities (@privileged), and prlimit sets limits (@resources).
        #expect(!filters.contains { $0.hasPrefix("SystemCallFilter=~") }, "\(filters)")
        // A call that is refused must fail, not kill.
        #expect(unit.contains("SystemCallErrorNumber=EPERM"))
        let families = try #require(unit.first { $0.hasPrefix("RestrictAddressFamilies=") })
        #expect(families.contains("AF_NETLINK"))
        // A masked /proc keeps the kernel from mounting another.
        for key in ["ProtectKernelTunables", "ProtectKernelLogs", "ProtectProc", "ProcSubset", "ProtectHostname"] {
            #expect(!unit.contains { $0.hasPrefix(key + "=") }, "\(key)")
        }
    }

    @Test(arguments: ["gateway", "resolver", "chroot-builder"]) func unitOfTheOthersAllowsNoNamespaces(_ name: String)
        throws
    {
        #expect(try unit(name).contains("RestrictNamespaces=yes"))
    }

    @Test(arguments: services) func imageHasTheSandboxAndItsPrograms(_ name: String, _ programs: [String]) throws {
        let installed = try packages("services/\(name)/Containerfile")
        for program in programs + ["bubblewrap", "util-linux"] {
            #expect(installed.contains(program[...]), "\(program)")
        }
    }

    /// The chroot-builder copies the host's crash where a release has none.
    @Test func imageOfTheChrootBuilderHasCrash() throws {
        #expect(try packages("services/chroot-builder/Containerfile").contains("crash"))
    }

    @Test func readmeInstallsWhatTheServicesRun() throws {
        let installed = try packages("services/README.md")
        for program in Self.services.flatMap(\.1) + ["bubblewrap", "util-linux"] {
            #expect(installed.contains(program[...]), "\(program)")
        }
    }

    @Test(arguments: services.map(\.0)) func composeLetsGoOfWhatBubblewrapNeeds(_ name: String) throws {
        let service = try lines("compose/compose.yaml").drop { $0 != "  \(name):" }.dropFirst()
            .prefix { $0.hasPrefix("    ") }
        let options = service.drop { $0 != "    security_opt:" }.dropFirst().prefix { $0.hasPrefix("      - ") }
        let variable = "RETRACE_\(name.uppercased())_"
        #expect(
            options == [
                "      - no-new-privileges:true", "      - seccomp=${\(variable)SECCOMP:-unconfined}",
                "      - apparmor=${\(variable)APPARMOR:-unconfined}", "      - systempaths=unconfined",
            ])
        let settings = try lines("compose/.env.dist")
        for word in ["SECCOMP", "APPARMOR"] { #expect(settings.contains { $0.hasPrefix("\(variable)\(word)=") }) }
    }
}
