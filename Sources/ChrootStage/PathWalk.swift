import Packages
import SystemPackage

/// Follows `path` inside a directory as if that were `/`, one component after the other.
///
/// Absolute links start again at the directory and are taken as usr-merged; `..` never leads out. Every link on the way
/// is shown to `onLink` with the components of the directory that it is in.
///
/// - Returns: The components of the file or directory at the end, none of which is a link; nil when there is nothing, or
///   nothing after 40 links, which is where the kernel gives up as well.
/// - Throws: `Errno` of a directory that cannot be opened, and what `onLink` throws.
func walk(
    _ path: String, in root: DirectoryHandle,
    onLink: (_ directory: [String], _ name: String) throws(Errno) -> Void = { _, _ throws(Errno) in }
) throws(Errno) -> (components: [String], kind: DirectoryEntry.Kind)? {
    var pending = components(of: usrMerged(path))
    var done: [String] = []
    var handles = [root]
    var kind = DirectoryEntry.Kind.directory
    var linkCount = 0
    while let name = pending.popLast() {
        if name == ".." {
            if !done.isEmpty {
                done.removeLast()
                handles.removeLast()
            }
            continue
        }
        guard kind == .directory, let here = handles.last, let found = here.kind(of: name.fileName) else { return nil }
        switch found {
        case .directory:
            handles.append(try DirectoryHandle(name.fileName, in: here))
            done.append(name)
        case .link:
            linkCount += 1
            guard linkCount <= 40 else { return nil }
            try onLink(done, name)
            let target = try here.target(of: name.fileName)
            if target.hasPrefix("/") {
                handles = [root]
                done = []
            }
            pending += components(of: target.hasPrefix("/") ? usrMerged(target) : target)
        case .file, .other:
            kind = found
            done.append(name)
        }
    }
    return (done, kind)
}

/// The last component first, so that a walk can take them off the end.
private func components(of path: String) -> [String] {
    path.split(separator: "/").filter { $0 != "." }.map(String.init).reversed()
}
