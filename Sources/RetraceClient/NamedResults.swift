/// What stands after a task's id in the address of its named results, or of one of them.
///
/// - Parameter name: nil for the list of all.
/// - Throws: ``ClientError`` with `usage` for what is no name of a result.
package func namedResults(_ name: String?) throws(ClientError) -> String {
    guard let name else { return "results" }
    let isPlain = name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
    guard !name.isEmpty, isPlain else {
        throw ClientError(
            .usage, "'\(printable(name))' is not the name of a result.",
            advice: "Without a name 'retrace results' lists those that there are.")
    }
    return "results/\(name)"
}
