package import SystemPackage

/// Why an archive could not be read, written or unpacked.
///
/// ``message`` may quote libarchive; it is for logs and for operators, not for the public.
package struct ArchiveError: Error, Hashable, Sendable, CustomStringConvertible {
    package let code: Code
    /// One plain sentence that says what happened.
    package let message: String
    /// What the kernel answered, where it was the kernel that refused.
    package let systemError: Errno?

    /// What kind of trouble it is.
    package enum Code: String, Hashable, Sendable {
        /// The bytes are of none of the formats that were asked for.
        case notAnArchive
        /// The file ends before the archive does.
        case truncated
        /// The archive contradicts itself: a bad checksum, a broken header, an undecodable stream.
        case damaged
        /// A real format, but one that we do not read, such as the payload of RPM v6.
        case unsupported
        /// There are more entries than the limits allow.
        case tooManyEntries
        /// There are more bytes than the limits allow.
        case tooManyBytes
        /// The disk, or the quota on it, is full.
        case noSpace
        /// Any other refusal of the operating system.
        case system
    }

    package init(_ code: Code, _ message: String, systemError: Errno? = nil) {
        self.code = code
        self.message = message
        self.systemError = systemError
    }

    /// The refusal of the kernel in words: `cannot make the file data: No space left on device`.
    package init(_ attempt: String, errno number: Int32) {
        let error = Errno(rawValue: number)
        self.init(
            error == .noSpace || error == .diskQuotaExceeded ? .noSpace : .system, "cannot \(attempt): \(error)",
            systemError: error)
    }

    package var description: String { message }
}
