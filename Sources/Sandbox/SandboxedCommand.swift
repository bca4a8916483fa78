package import SystemPackage

/// A program to run inside a root of its own, and all that it can see of the host.
package struct SandboxedCommand: Hashable, Sendable {
    /// The directory whose entries become those of `/`, read-only. It needs no mount points: `/` itself is a tmpfs.
    package var root: FilePath
    /// Further files and directories, in the order in which they are mounted.
    package var binds: [SandboxBind]
    /// Absolute paths at which empty file systems in memory are mounted, each of at most
    /// ``SandboxLimits/scratchBytes``; `/tmp` by default.
    package var scratch: [String]
    /// The whole environment of the program.
    package var environment: [String: String]
    /// The program, as an absolute path inside the sandbox, and its arguments.
    package var arguments: [String]
    /// Inside the sandbox.
    package var workingDirectory: String
    /// Whom the kernel takes the child for when the service is root. A service that is not root keeps its own user.
    package var user: SandboxUser

    package init(
        root: FilePath, binds: [SandboxBind] = [], scratch: [String] = ["/tmp"], environment: [String: String] = [:],
        arguments: [String], workingDirectory: String = "/", user: SandboxUser = .nobody
    ) {
        self.root = root
        self.binds = binds
        self.scratch = scratch
        self.environment = environment
        self.arguments = arguments
        self.workingDirectory = workingDirectory
        self.user = user
    }
}

/// A file or directory of the host that the sandbox sees.
package struct SandboxBind: Hashable, Sendable {
    package let source: FilePath
    /// The absolute path inside the sandbox.
    package let target: String
    package let writable: Bool

    package init(_ source: FilePath, at target: String, writable: Bool = false) {
        self.source = source
        self.target = target
        self.writable = writable
    }
}

/// A user of the host without privileges.
package struct SandboxUser: Hashable, Sendable {
    package let userID: UInt32
    package let groupID: UInt32

    package init(userID: UInt32, groupID: UInt32) {
        self.userID = userID
        self.groupID = groupID
    }

    /// The user that owns nothing: 65534 on Debian, Fedora and nearly all others.
    package static let nobody = SandboxUser(userID: 65534, groupID: 65534)
}
