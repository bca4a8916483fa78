/// Source: format_description.txt of snappy.
enum Snappy {
    /// nil when the bytes are damaged or more than `limit` bytes come out.
    static func decompress(_ bytes: [UInt8], limit: Int) -> [UInt8]? {
        var cursor = CompressedCursor(bytes, limit: limit)
        guard let stated = size(&cursor), stated <= limit else { return nil }
        while !cursor.isAtEnd {
            guard let tag = cursor.byte() else { return nil }
            let isRight: Bool
            switch tag & 3 {
            case 0:
                guard let count = literalCount(tag >> 2, &cursor) else { return nil }
                isRight = cursor.copyLiterals(count)
            case 1:
                guard let low = cursor.byte() else { return nil }
                isRight = cursor.copyMatch(distance: (tag >> 5) << 8 | low, count: 4 + ((tag >> 2) & 7))
            case let kind:
                guard let distance = cursor.number(bytes: kind == 2 ? 2 : 4) else { return nil }
                isRight = cursor.copyMatch(distance: distance, count: 1 + (tag >> 2))
            }
            guard isRight else { return nil }
        }
        return cursor.output.count == stated ? cursor.output : nil
    }

    /// The size of the whole, seven bits a byte.
    private static func size(_ cursor: inout CompressedCursor) -> Int? {
        var value = 0
        for shift in stride(from: 0, through: 28, by: 7) {
            guard let next = cursor.byte() else { return nil }
            value |= (next & 0x7f) << shift
            if next < 0x80 { return value }
        }
        return nil
    }

    /// Counts up to 60 stand in the tag, larger ones in one to four bytes behind it.
    private static func literalCount(_ inTag: Int, _ cursor: inout CompressedCursor) -> Int? {
        guard inTag >= 60 else { return inTag + 1 }
        return cursor.number(bytes: inTag - 59).map { $0 + 1 }
    }
}
