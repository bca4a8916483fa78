import CrashModel
import SystemPackage
import TestFixtures

@testable import Packages

/// A package of a kernel's debuginfo that a test makes, and how it is asked for.
struct MadeKernel {
    static let release = "6.1.0-56-cloud-amd64"
    static let directory = "/usr/lib/debug/lib/modules/\(release)/"

    let buildID: BuildID
    var vmlinux: String
    let package: FilePath
    let sha256: String

    /// What the packages of the tests say.
    static func knownBuildID() throws -> BuildID { try BuildID("64a81c3c6b3e2fd1cd7b0bd1e0a5b0a4a0e1c2d3") }
    static let knownVmlinux = "/usr/lib/debug/boot/vmlinux-\(release)"

    /// Symbols as Debian packs them: vmlinux first, and modules in a tree.
    init(
        in folder: FilePath,
        fill: (_ package: inout MadeDebianPackage, _ vmlinux: String, BuildID) -> Void = Self.debian
    ) throws {
        let buildID = try Self.knownBuildID()
        var made = MadeDebianPackage("linux-image-\(Self.release)-dbg", version: "6.1.192-2")
        fill(&made, Self.knownVmlinux, buildID)
        try self.init(
            buildID: buildID, vmlinux: Self.knownVmlinux, package: made.write(to: folder, as: "kernel.deb"))
    }

    init(buildID: BuildID, vmlinux: String, package: FilePath) throws {
        self.buildID = buildID
        self.vmlinux = vmlinux
        self.package = package
        sha256 = try packageDigest(of: package).sha256
    }

    static func debian(_ package: inout MadeDebianPackage, _ vmlinux: String, _ buildID: BuildID) {
        package.addELF(vmlinux, buildID)
        addModules(&package)
    }

    static func addModules(_ package: inout MadeDebianPackage) {
        for path in ["drivers/net/virtio_net.ko", "fs/ext4/ext4.ko", "sound/snd-hda-intel.ko", "lib/crc16.ko.xz"] {
            package.add(directory + "kernel/" + path, Array(path.utf8))
        }
        package.add("/usr/lib/debug/elsewhere/dummy.ko", [1])
    }

    static func module(_ path: String) -> String { directory + "kernel/" + path }

    func request(_ choice: KernelModules.Choice? = nil, buildID: BuildID?? = nil) -> KernelRequest {
        KernelRequest(
            buildID: buildID ?? self.buildID, package: package, sha256: sha256, vmlinux: vmlinux,
            modules: choice.map { KernelModules(below: Self.directory, $0) })
    }

    /// The paths of all regular files in a tree.
    static func files(in tree: FilePath) throws -> [String] {
        var found: [String] = []
        var rest = [FilePath(root: "/")]
        while let directory = rest.popLast() {
            for name in try namesInDirectory(tree.pushing(FilePath(root: nil, directory.components))) {
                let path = directory.appending(name)
                let place = tree.pushing(FilePath(root: nil, path.components))
                if let inner = try? namesInDirectory(place), !inner.isEmpty || isDirectory(place) {
                    rest.append(path)
                } else {
                    found.append(path.string)
                }
            }
        }
        return found.sorted()
    }
}
