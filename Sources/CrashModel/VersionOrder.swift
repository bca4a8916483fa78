/// The rules under which two versions of a package are compared.
package enum VersionOrder: String, Sendable {
    /// rpmvercmp: segments of letters or digits, `~` before everything, `^` after the end and before more.
    case rpm
    /// deb-version(7): non-digits by ASCII with letters first and `~` before the end, digits as numbers.
    case debian

    /// Whether `left` is older than `right`: epoch first, then version, then release.
    package func isOlder(_ left: NEVRA, _ right: NEVRA) -> Bool {
        if left.epoch != right.epoch { return left.epoch < right.epoch }
        let byVersion = compare(left.version, right.version)
        return byVersion != 0 ? byVersion < 0 : compare(left.release, right.release) < 0
    }

    /// Negative, zero or positive as `left` is older than, as old as or newer than `right`.
    package func compare(_ left: String, _ right: String) -> Int {
        switch self {
        case .rpm: Self.rpmCompare(Array(left.utf8), Array(right.utf8))
        case .debian: Self.debianCompare(Array(left.utf8), Array(right.utf8))
        }
    }

    private static func debianCompare(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var l = left[...]
        var r = right[...]
        while !l.isEmpty || !r.isEmpty {
            while (l.first.map { !isDigit($0) } ?? false) || (r.first.map { !isDigit($0) } ?? false) {
                let (a, b) = (debianWeight(l.first), debianWeight(r.first))
                if a != b { return a - b }
                l = l.dropFirst()
                r = r.dropFirst()
            }
            let byNumber = compareNumbers(takeWhile(isDigit, from: &l), takeWhile(isDigit, from: &r))
            if byNumber != 0 { return byNumber }
        }
        return 0
    }

    private static func debianWeight(_ byte: UInt8?) -> Int {
        guard let byte, !isDigit(byte) else { return 0 }
        if byte == UInt8(ascii: "~") { return -1 }
        return isLetter(byte) ? Int(byte) : Int(byte) + 256
    }

    private static func rpmCompare(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var l = left[...]
        var r = right[...]
        while !l.isEmpty || !r.isEmpty {
            l = l.drop { !isDigit($0) && !isLetter($0) && $0 != UInt8(ascii: "~") && $0 != UInt8(ascii: "^") }
            r = r.drop { !isDigit($0) && !isLetter($0) && $0 != UInt8(ascii: "~") && $0 != UInt8(ascii: "^") }
            let (a, b) = (l.first, r.first)
            if a == UInt8(ascii: "~") || b == UInt8(ascii: "~") {
                if a != b { return a == UInt8(ascii: "~") ? -1 : 1 }
                l = l.dropFirst()
                r = r.dropFirst()
                continue
            }
            if a == UInt8(ascii: "^") || b == UInt8(ascii: "^") {
                guard a == b else {
                    if a == UInt8(ascii: "^") { return b == nil ? 1 : -1 }
                    return a == nil ? -1 : 1
                }
                l = l.dropFirst()
                r = r.dropFirst()
                continue
            }
            guard let a, let b else { break }
            if isDigit(a) {
                guard isDigit(b) else { return 1 }
                let byNumber = compareNumbers(takeWhile(isDigit, from: &l), takeWhile(isDigit, from: &r))
                if byNumber != 0 { return byNumber }
            } else {
                guard isLetter(b) else { return -1 }
                let (s, t) = (takeWhile(isLetter, from: &l), takeWhile(isLetter, from: &r))
                if s != t { return s.lexicographicallyPrecedes(t) ? -1 : 1 }
            }
        }
        return l.isEmpty ? (r.isEmpty ? 0 : -1) : 1
    }

    private static func takeWhile(_ belongs: (UInt8) -> Bool, from rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let taken = rest.prefix(while: belongs)
        rest = rest.dropFirst(taken.count)
        return taken
    }

    private static func compareNumbers(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Int {
        let l = left.drop { $0 == UInt8(ascii: "0") }
        let r = right.drop { $0 == UInt8(ascii: "0") }
        if l.count != r.count { return l.count - r.count }
        return l.elementsEqual(r) ? 0 : (l.lexicographicallyPrecedes(r) ? -1 : 1)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
