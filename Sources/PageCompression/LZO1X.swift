/// Source: Documentation/staging/lzo.rst of Linux, version 0 of the stream.
enum LZO1X {
    /// nil when the bytes are damaged or more than `limit` bytes come out.
    static func decompress(_ bytes: [UInt8], limit: Int) -> [UInt8]? {
        var cursor = CompressedCursor(bytes, limit: limit)
        // How many literals came with the last instruction: 0 to 3, or 4 for a run of its own.
        var state = 0
        if let first = bytes.first, first > 17 {
            _ = cursor.byte()
            guard cursor.copyLiterals(Int(first) - 17) else { return nil }
            state = min(4, Int(first) - 17)
        }
        while let tag = cursor.byte() {
            if tag < 16, state == 0 {
                guard let count = length(tag, bits: 4, &cursor), cursor.copyLiterals(count + 3) else { return nil }
                state = 4
                continue
            }
            guard let match = Match(tag, state: state, &cursor) else { return nil }
            if match.isEnd { return cursor.isAtEnd ? cursor.output : nil }
            guard cursor.copyMatch(distance: match.distance, count: match.count), cursor.copyLiterals(match.literals)
            else { return nil }
            state = match.literals
        }
        return nil
    }

    /// A count in the low bits of an instruction; none there means that more bytes follow, each zero adding 255.
    fileprivate static func length(_ tag: Int, bits: Int, _ cursor: inout CompressedCursor) -> Int? {
        let mask = (1 << bits) - 1
        guard tag & mask == 0 else { return tag & mask }
        var count = mask
        while let next = cursor.byte() {
            if next != 0 { return count + next }
            count += 255
        }
        return nil
    }

    /// One instruction that repeats what came before.
    private struct Match {
        let distance: Int
        let count: Int
        /// How many literals follow it.
        let literals: Int
        /// Whether it is the mark of the end.
        var isEnd = false

        init?(_ tag: Int, state: Int, _ cursor: inout CompressedCursor) {
            switch tag {
            case 64...:
                guard let high = cursor.byte() else { return nil }
                distance = (high << 3) + ((tag >> 2) & 7) + 1
                count = (tag >> 5) + 1
                literals = tag & 3
            case 16...:
                let isNear = tag >= 32
                guard let length = LZO1X.length(tag, bits: isNear ? 5 : 3, &cursor), let pair = cursor.number(bytes: 2)
                else { return nil }
                let back = (pair >> 2) + (isNear ? 1 : (tag & 8) << 11)
                isEnd = !isNear && back == 0
                distance = isNear ? back : back + 0x4000
                count = length + 2
                literals = pair & 3
            default:
                guard let high = cursor.byte() else { return nil }
                distance = (high << 2) + (tag >> 2) + (state == 4 ? 0x801 : 1)
                count = state == 4 ? 3 : 2
                literals = tag & 3
            }
        }
    }
}
