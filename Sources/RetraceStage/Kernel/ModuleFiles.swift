import CrashModel
import SystemPackage
import TaskStorage

/// Where the debug file of a module is in the crash root.
typealias ModuleFile = (name: String, path: String)

/// More modules than a machine has loaded: where there are more files, nobody could tell which were, and those of all
/// were unpacked.
let mostLoadedModules = 400

/// The debug files of modules below the directory that the job names, by the module's name: those that were loaded, where
/// that is known. Blocking.
func moduleFiles(in root: FilePath, _ files: KernelFiles, loaded: [String]?) -> [ModuleFile] {
    guard let modules = files.modules, modules.hasPrefix("/") else { return [] }
    let wanted = loaded.map { Set($0.map(moduleName)) }
    var found: [String: String] = [:]
    var folders = [modules]
    var left = 100_000
    while let folder = folders.popLast(), left > 0 {
        for name in (try? TaskDirectory.names(in: FilePath(root.string + folder))) ?? [] {
            left -= 1
            let path = folder + "/" + name
            guard let suffix = [".ko.debug", ".ko"].first(where: name.hasSuffix) else {
                // Only folders can be listed, and no link is followed; any other name is one failed open(2).
                folders.append(path)
                continue
            }
            let module = moduleName(String(name.dropLast(suffix.count)))
            // The line is one of crash's commands.
            guard wanted?.contains(module) ?? true, path.utf8.allSatisfy(isPlain), module.utf8.allSatisfy(isPlain)
            else {
                continue
            }
            found[module] = path
        }
    }
    return found.sorted { $0.key < $1.key }.prefix(16_384).map { (name: $0.key, path: $0.value) }
}

/// The kernel names modules with underscores, whatever their files have.
func moduleName(_ text: String) -> String { String(text.map { $0 == "-" ? "_" : $0 }) }

private func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "A")...UInt8(ascii: "Z"):
        true
    default: "/._+~-".utf8.contains(byte)
    }
}
