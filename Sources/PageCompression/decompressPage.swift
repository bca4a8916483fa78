import CPageCompression

/// How makedumpfile compresses a page.
package enum PageCompression: Hashable, Sendable, CaseIterable {
    case zlib
    /// LZO1X, as lzop(1) uses it.
    case lzo
    case snappy
    case zstd
}

/// Why a page could not be decompressed.
package enum PageCompressionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The bytes are not what the format demands, or end early.
    case damaged(PageCompression)
    /// They are right, but not of one page; how many bytes came out.
    case wrongSize(PageCompression, Int)

    package var description: String {
        switch self {
        case .damaged(let format): "a page compressed with \(format) is damaged"
        case .wrongSize(let format, let size): "a page compressed with \(format) has \(size) bytes, which is no page"
        }
    }
}

/// Decompresses one page.
///
/// - Parameter pageBytes: How large the page is, in bytes; no more is ever written or allocated for it.
/// - Throws: ``PageCompressionError`` unless exactly so many bytes come out.
package func decompressPage(
    _ bytes: [UInt8], _ format: PageCompression, pageBytes: Int
) throws(PageCompressionError) -> [UInt8] {
    let page: [UInt8]? =
        switch format {
        case .zlib: inflated(bytes, pageBytes)
        case .zstd: unpackedZstd(bytes, pageBytes)
        // liblzo2 is under the GPL, and both formats are small: they are read here.
        case .lzo: LZO1X.decompress(bytes, limit: pageBytes)
        case .snappy: Snappy.decompress(bytes, limit: pageBytes)
        }
    guard let page else { throw .damaged(format) }
    guard page.count == pageBytes else { throw .wrongSize(format, page.count) }
    return page
}

private func inflated(_ bytes: [UInt8], _ pageBytes: Int) -> [UInt8]? {
    var isRight = false
    let page = [UInt8](unsafeUninitializedCapacity: pageBytes) { buffer, filled in
        var size = uLongf(pageBytes)
        isRight = uncompress(buffer.baseAddress, &size, bytes, uLong(bytes.count)) == Z_OK
        filled = isRight ? min(Int(size), pageBytes) : 0
    }
    return isRight ? page : nil
}

private func unpackedZstd(_ bytes: [UInt8], _ pageBytes: Int) -> [UInt8]? {
    var isRight = false
    let page = [UInt8](unsafeUninitializedCapacity: pageBytes) { buffer, filled in
        let size = ZSTD_decompress(buffer.baseAddress, pageBytes, bytes, bytes.count)
        isRight = ZSTD_isError(size) == 0
        filled = isRight ? min(size, pageBytes) : 0
    }
    return isRight ? page : nil
}
