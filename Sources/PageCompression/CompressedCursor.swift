/// Compressed bytes from front to back, and what they become; neither is passed beyond.
struct CompressedCursor {
    private let input: [UInt8]
    private var position: Int
    private(set) var output: [UInt8] = []
    private let limit: Int

    init(_ input: [UInt8], from start: Int = 0, limit: Int) {
        self.input = input
        position = start
        self.limit = limit
        output.reserveCapacity(limit)
    }

    var isAtEnd: Bool { position >= input.count }

    /// The next byte; nil at the end.
    mutating func byte() -> Int? {
        guard position < input.count else { return nil }
        position += 1
        return Int(input[position - 1])
    }

    /// A little-endian number of one to four bytes.
    mutating func number(bytes count: Int) -> Int? {
        var value = 0
        for index in 0..<count {
            guard let next = byte() else { return nil }
            value |= next << (8 * index)
        }
        return value
    }

    /// Takes the next bytes as they are; false when they or the room end before.
    mutating func copyLiterals(_ count: Int) -> Bool {
        guard count <= input.count - position, count <= limit - output.count else { return false }
        output += input[position..<(position + count)]
        position += count
        return true
    }

    /// Repeats what came out before; the two places may overlap. False when nothing is so far back, or the room ends.
    mutating func copyMatch(distance: Int, count: Int) -> Bool {
        guard distance > 0, distance <= output.count, count <= limit - output.count else { return false }
        let start = output.count - distance
        for index in 0..<count { output.append(output[start + index]) }
        return true
    }
}
