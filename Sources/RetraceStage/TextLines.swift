import Glibc

/// The lines of a long text that are not empty, one after another where they lie. A log of 8 MiB can have four million of
/// them, and an array of so many takes many times the memory of the text.
struct TextLines: Sequence, IteratorProtocol {
    private let text: Substring
    private var place: String.Index

    init(_ text: Substring) {
        self.text = text
        place = text.startIndex
    }

    init(_ text: String) { self.init(text[...]) }

    mutating func next() -> Substring? {
        while place < text.endIndex {
            let rest = text.utf8[place...]
            let end = rest.index(place, offsetBy: Self.bytesToNewline(rest))
            let line = text[place..<end]
            place = end < text.endIndex ? rest.index(after: end) : end
            if !line.isEmpty { return line }
        }
        return nil
    }

    private static func bytesToNewline(_ rest: Substring.UTF8View) -> Int {
        rest.withContiguousStorageIfAvailable { bytes -> Int in
            guard let start = bytes.baseAddress, let end = memchr(start, newline, bytes.count) else {
                return bytes.count
            }
            return UnsafeRawPointer(start).distance(to: UnsafeRawPointer(end))
        } ?? rest.prefix { $0 != UInt8(newline) }.count
    }
}

private let newline = CInt(UInt8(ascii: "\n"))

/// Plain words in a long text, looked for by bytes; places are counted in bytes of UTF-8.
extension String {
    /// Where a word of ASCII stands first.
    func firstPlace(of word: String) -> Int? {
        var first: Int?
        forEachPlace(of: word) { place in
            first = place
            return false
        }
        return first
    }

    /// Where a word of ASCII stands last.
    func lastPlace(of word: String) -> Int? {
        var last: Int?
        forEachPlace(of: word) { place in
            last = place
            return true
        }
        return last
    }

    /// The line that a place of a word is in, without its newline, as a range of places.
    func line(around place: Int) -> Range<Int> {
        withBytes { bytes -> Range<Int> in
            let start = bytes[..<place].lastIndex { $0 == UInt8(newline) }.map { $0 + 1 } ?? 0
            guard let base = bytes.baseAddress, let end = memchr(base + place, newline, bytes.count - place) else {
                return start..<bytes.count
            }
            return start..<base.distance(to: UnsafeRawPointer(end))
        }
    }

    /// The text of a range that begins and ends at words of ASCII or at the ends of lines.
    func text(_ range: Range<Int>) -> Substring {
        let start = utf8.index(startIndex, offsetBy: range.lowerBound)
        return self[start..<utf8.index(start, offsetBy: range.count)]
    }

    /// - Parameter visit: Is given each place, and answers whether to go on.
    private func forEachPlace(of word: String, _ visit: (Int) -> Bool) {
        let word = Array(word.utf8)
        guard let first = word.first else { return }
        withBytes { bytes -> Void in
            guard let base = bytes.baseAddress else { return }
            var place = 0
            while bytes.count - place >= word.count,
                let hit = memchr(base + place, CInt(first), bytes.count - place - word.count + 1)
            {
                place = base.distance(to: UnsafeRawPointer(hit))
                if memcmp(hit, word, word.count) == 0, !visit(place) { return }
                place += 1
            }
        }
    }

    private func withBytes<Value>(_ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        // Strings that were made here are contiguous.
        utf8.withContiguousStorageIfAvailable { body(UnsafeRawBufferPointer($0)) }
            ?? Array(utf8).withUnsafeBytes(body)
    }
}

/// The beginning of a text, so many characters of Unicode: a single one that a person sees may be of any length.
func bounded(_ text: some StringProtocol, to count: Int) -> String {
    var bounded = String.UnicodeScalarView()
    bounded.append(contentsOf: text.unicodeScalars.prefix(count))
    return String(bounded)
}
