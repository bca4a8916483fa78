import CrashModel

/// Files of one package that a root does not have.
struct LeftOut {
    enum Reason {
        /// An earlier package has the name.
        case taken
        /// A device, a pipe, a socket, or nested too deep.
        case unusable
    }

    let package: NEVRA
    let reason: Reason
    var count: Int
    /// The path of the first one.
    let example: String

    /// For the remarks of a root.
    var sentence: String {
        let files = count == 1 ? "a file" : "\(count) files"
        return switch reason {
        case .taken:
            "\(package) has \(files) that another package in the root has too, such as \(example); the first was kept."
        case .unusable: "\(package) has \(files) that a root cannot hold, such as \(example)."
        }
    }
}
