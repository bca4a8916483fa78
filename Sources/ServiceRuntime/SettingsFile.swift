import FoundationEssentials
import SystemPackage
import Yams

/// The shape of a YAML file of settings: a misspelt key, or a value in a form that nobody reads, would otherwise be a
/// setting that nobody set.
struct SettingsFile {
    /// Whether there is anything in the file; one that is absent, empty or all comments sets nothing.
    let isMapping: Bool
    /// A line for each thing that is wrong, with its place.
    private(set) var faults: [String] = []
    private let file: FilePath
    private let names: Set<String>

    /// - Throws: ``ConfigurationRefusal`` when the file cannot be read or is not YAML.
    init(_ file: FilePath, mayBeMissing: Bool, keys: [ConfigurationKey]) throws(ConfigurationRefusal) {
        self.file = file
        names = Set(keys.map(\.name))
        let root: Node?
        do {
            root = try Yams.compose(yaml: String(contentsOfFile: file.string, encoding: .utf8))
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile && mayBeMissing {
            root = nil
        } catch let error as CocoaError {
            throw ConfigurationRefusal("\(file): the file cannot be read as text: \(error)")
        } catch {
            throw ConfigurationRefusal("\(file): the file is not YAML: \(error)")
        }
        guard let root, !root.isNothing else {
            isMapping = false
            return
        }
        guard case .mapping(let mapping) = root else {
            throw ConfigurationRefusal(
                "\(file): the file holds no settings as 'name: value'; '--help' lists those there are")
        }
        isMapping = true
        check(mapping, "")
    }

    private mutating func check(_ mapping: Node.Mapping, _ prefix: String) {
        for (key, value) in mapping {
            let name = prefix + (key.string ?? "")
            if names.contains(name) {
                if !value.isScalar, !value.isListOfScalars {
                    tell(key, "'\(name)' takes one value, or a list of values, and nothing below it")
                }
            } else if names.contains(where: { $0.hasPrefix(name + ".") }) {
                if case .mapping(let section) = value {
                    check(section, name + ".")
                } else if !value.isNothing {
                    tell(key, "'\(name)' is no setting but a section; its settings stand below it")
                }
            } else {
                tell(key, "there is no setting '\(name)'; '--help' lists those there are")
            }
        }
    }

    private mutating func tell(_ key: Node, _ fault: String) {
        faults.append("\(file), line \(key.mark?.line ?? 0): \(fault)")
    }
}

extension Node {
    fileprivate var isScalar: Bool { scalar != nil }
    fileprivate var isListOfScalars: Bool { sequence?.allSatisfy(\.isScalar) ?? false }
    /// `key:` with nothing behind it.
    fileprivate var isNothing: Bool { isScalar && tag == Tag(.null) }
}
