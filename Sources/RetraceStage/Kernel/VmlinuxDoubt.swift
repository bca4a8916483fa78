import CrashModel
import ELF
import SystemPackage

/// What is known of a vmlinux before it is used.
enum VmlinuxDoubt: Hashable, Sendable {
    case verified
    case unverified(String)
    case another(String)

    /// The dump's build-id is compared here once more: what the job says of the files may have been true of others. Where
    /// there is none, the kernel's banner is compared with what the dump says. Blocking.
    ///
    /// - Parameter log: The kernel's log, where it is known.
    static func of(_ files: KernelFiles, in chroot: Chroot, _ kernel: KernelDump, log: String?) -> VmlinuxDoubt {
        let path = FilePath(chroot.crashRoot + files.vmlinux)
        let found = try? ELFFile(FileByteSource(path)).identity().buildID
        if let wanted = kernel.buildID, let found {
            guard wanted == found else {
                return .another(
                    "The vmlinux at hand (build-id \(found)) is of another kernel than the one that crashed (\(wanted))."
                )
            }
            return .verified
        }
        let doubt =
            files.doubt
            ?? "Nothing proves that this vmlinux is the kernel that crashed: one of them names no build-id."
        let banners = KernelBanner.banners(in: path)
        guard let banner = banners.last else { return .unverified(doubt) }
        if let release = kernel.release?.description, !banners.contains(where: { $0.release == release }) {
            return .another(
                "The vmlinux at hand is of Linux \(banner.release), and it was Linux \(release) that crashed.")
        }
        guard let logged = log.flatMap(KernelBanner.init(log:)) else { return .unverified(doubt) }
        guard banners.contains(logged) else {
            return .another(
                "The vmlinux at hand is of another build (\(banner.text.suffix(80))) of the kernel that crashed "
                    + "(\(logged.text.suffix(80))).")
        }
        return .unverified(doubt + " It has the version, build and compiler that the log names.")
    }
}
