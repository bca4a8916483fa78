/// The identity of one retrace request; it names the task's row, its directory and every message about it.
///
/// The canonical text is nine decimal digits without a leading zero, as ABRT's clients know it.
package struct TaskID: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    /// - Throws: ``InvalidValue`` unless `text` is 1 to 18 ASCII digits without a leading zero.
    package init(_ text: some StringProtocol) throws(InvalidValue) {
        let digits = text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard digits, (1...18).contains(text.utf8.count), text.utf8.first != UInt8(ascii: "0") else {
            throw InvalidValue(noun: "task id", text: text, expected: "it has digits only, nine of them")
        }
        description = String(text)
    }

    private init(digits: UInt64) { description = String(digits) }

    /// A new id from the system's CSPRNG.
    package static func random() -> TaskID {
        TaskID(digits: UInt64.random(in: 100_000_000...999_999_999))
    }
}
