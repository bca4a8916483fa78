/// A core of gdb's with its parts in the order in which the kernel writes them: the notes first, no section headers.
///
/// gdb puts the notes last, so that a core cut off anywhere tells nothing; the kernel's tells who crashed and where
/// (elf(5); `elf_core_dump` in the kernel's fs/binfmt_elf.c). 64-bit little-endian only.
func coreInKernelOrder(_ core: [UInt8]) throws -> [UInt8] {
    func number(_ offset: Int, _ size: Int) throws -> Int {
        guard offset + size <= core.count else { throw Stack.Failure(description: "the core is too short") }
        return (0..<size).reduce(0) { $0 | Int(core[offset + $1]) << (8 * $1) }
    }
    let headers = try number(0x20, 8)
    let count = try number(0x38, 2)
    let end = headers + count * 56
    guard try number(headers, 4) == 4 else { throw Stack.Failure(description: "the first segment has no notes") }
    let notes = try number(headers + 8, 8)
    let size = try number(headers + 32, 8)
    guard end <= notes, notes + size <= core.count else { throw Stack.Failure(description: "the notes come first") }
    var head = Array(core[..<end])
    func put(_ value: Int, at offset: Int, _ size: Int) {
        for place in 0..<size { head[offset + place] = UInt8(truncatingIfNeeded: value >> (8 * place)) }
    }
    // Where section headers are, and how many.
    put(0, at: 0x28, 8)
    put(0, at: 0x3c, 4)
    put(end, at: headers + 8, 8)
    for segment in 1..<count {
        let place = headers + segment * 56 + 8
        put(try number(place, 8) + size, at: place, 8)
    }
    return head + core[notes..<notes + size] + core[end..<notes]
}
