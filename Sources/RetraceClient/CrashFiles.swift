package import SystemPackage

/// The files of one crash, under the names that ABRT's client packs.
package struct CrashFiles: Hashable, Sendable {
    package var members: [CrashMember]
    /// The value of `X-Task-Type`: 0 for a coredump, 2 for a vmcore; 3 and 4 when the server is to keep it.
    package var taskType: Int
    /// What the person should know, a sentence each.
    package var remarks: [String]

    package init(members: [CrashMember], taskType: Int, remarks: [String] = []) {
        self.members = members
        self.taskType = taskType
        self.remarks = remarks
    }

    /// Asks the server to keep the dump and what is built for it until the task is deleted, for an interactive session.
    package mutating func keep() { taskType = taskType == 2 || taskType == 4 ? 4 : 3 }
}

/// One file of a crash.
package struct CrashMember: Hashable, Sendable {
    package let name: Name
    package let content: Content

    /// The names in an archive that a retrace server takes from ABRT's client, in its order.
    package enum Name: String, Hashable, Sendable, CaseIterable {
        case coredump
        case executable
        case package
        case osRelease = "os_release"
        case rootDirectory = "rootdir"
        case osReleaseInRootDirectory = "os_release_in_rootdir"
        case vmcore
        /// VMware's snapshots, and the memory beside them.
        case vmcoreSuspended = "vmcore.vmss"
        case vmcoreSnapshot = "vmcore.vmsn"
        case vmcoreMemory = "vmcore.vmem"

        /// What a problem directory of a program's crash must have; a kernel's has its dump alone.
        static let required: [Name] = [.coredump, .executable, .package, .osRelease]
        static let optional: [Name] = [.rootDirectory, .osReleaseInRootDirectory]
    }

    package enum Content: Hashable, Sendable {
        case file(FilePath)
        case text(String)
    }

    package init(_ name: Name, _ content: Content) {
        self.name = name
        self.content = content
    }
}

/// What the person says of a crash; it wins over what is found.
package struct GivenFacts: Hashable, Sendable {
    /// The absolute path of the program.
    package var executable: String?
    /// The program's package, such as `bash-5.2.15-2+b7`.
    package var package: String?
    /// The release, as in os_release: `Debian GNU/Linux 12 (bookworm)`.
    package var release: String?

    package init(executable: String? = nil, package: String? = nil, release: String? = nil) {
        self.executable = executable
        self.package = package
        self.release = release
    }
}
