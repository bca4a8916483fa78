import Glibc
import SystemPackage

/// The names in a directory without `.` and `..`; none when there is no such directory. Blocking.
func namesInDirectory(_ path: FilePath) throws(Errno) -> [String] {
    guard let directory = opendir(path.string) else {
        let error = Errno(rawValue: errno)
        if error == .noSuchFileOrDirectory { return [] }
        throw error
    }
    defer { closedir(directory) }
    return try names(in: directory)
}

/// The names that remain to be read from an open directory, without `.` and `..`.
func names(in directory: OpaquePointer) throws(Errno) -> [String] {
    var names: [String] = []
    while true {
        errno = 0
        guard let entry = readdir(directory) else {
            if errno != 0 { throw Errno(rawValue: errno) }
            return names
        }
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { names.append(name) }
    }
}
