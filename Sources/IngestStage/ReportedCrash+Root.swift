import CrashModel

extension ReportedCrash {
    /// ``CrashModel/ReportedCrash/executable`` as the program itself saw it: the client tells the host's path of a program
    /// in a container, which begins with `rootdir`.
    var executableInItsRoot: String? {
        guard let executable, let root = rootDirectory, root.hasPrefix("/") else { return executable }
        let rest = executable.dropFirst(root.hasSuffix("/") ? root.utf8.count - 1 : root.utf8.count)
        return executable.hasPrefix(root) && rest.hasPrefix("/") ? String(rest) : executable
    }
}
