/// How much one archive may become on disk.
package struct ExtractionLimits: Hashable, Sendable {
    /// Entries of any kind.
    package var maxEntries: Int
    /// Bytes of all files together.
    package var maxBytes: Int64
    /// Bytes of one file.
    package var maxFileBytes: Int64
    /// Bytes of one path.
    package var maxPathBytes: Int
    /// Directories above one another.
    package var maxDepth: Int

    /// The defaults fit the largest packages in use: a kernel's debuginfo unpacks to a few GB in one file, a source tree's
    /// has some 100,000 entries.
    package init(
        maxEntries: Int = 500_000, maxBytes: Int64 = 16 << 30, maxFileBytes: Int64 = 8 << 30, maxPathBytes: Int = 4095,
        maxDepth: Int = 64
    ) {
        self.maxEntries = maxEntries
        self.maxBytes = maxBytes
        self.maxFileBytes = maxFileBytes
        self.maxPathBytes = maxPathBytes
        self.maxDepth = maxDepth
    }
}
