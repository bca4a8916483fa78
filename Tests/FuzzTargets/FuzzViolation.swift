/// What must never be so, and was.
package struct FuzzViolation: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
