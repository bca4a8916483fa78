import Testing

@testable import RetraceStage

private let registers: [String: UInt64] = [
    "rax": 0x1000, "rbx": 0x2000, "rcx": 0xffff_ffff_ffff_fff0, "rsi": 0x3000, "rdi": 0x4000, "rsp": 0x8000,
    "rbp": 0x9000, "r8": 0x1_0000_0500, "fs_base": 0x7000,
]

/// What gdb prints, and the accesses that it means.
private let rows: [(text: String, accesses: [MemoryAccess])] = [
    ("mov    %eax,(%rbx)", [MemoryAccess(kind: .write, address: 0x2000)]),
    ("mov    0x8(%rax,%rbx,4),%rdx", [MemoryAccess(kind: .read, address: 0x9008)]),
    ("movl   $0x0,-0x10(%rcx)", [MemoryAccess(kind: .write, address: 0xffff_ffff_ffff_ffe0)]),
    ("mov    %fs:0x28,%rax", [MemoryAccess(kind: .read, address: 0x7028)]),
    ("mov    %gs:0x28,%rax", [MemoryAccess(kind: .read, address: nil)]),
    (
        "mov    0x2ee2(%rip),%rax        # 0x404010 <stdout@GLIBC_2.2.5>",
        [MemoryAccess(kind: .read, address: 0x40_2fe5)]
    ),
    ("mov    0x601040,%eax", [MemoryAccess(kind: .read, address: 0x60_1040)]),
    ("mov    (%r8d),%eax", [MemoryAccess(kind: .read, address: 0x500)]),
    ("mov    (%eax),%eax", [MemoryAccess(kind: .read, address: 0x1000)]),
    ("cmpb   $0x0,(%rax)", [MemoryAccess(kind: .read, address: 0x1000)]),
    ("lock cmpxchg %rdx,(%rax)", [MemoryAccess(kind: .write, address: 0x1000)]),
    ("addq   $0x1,(%rax)", [MemoryAccess(kind: .write, address: 0x1000)]),
    ("incl   (%rax)", [MemoryAccess(kind: .write, address: 0x1000)]),
    ("divl   (%rax)", [MemoryAccess(kind: .read, address: 0x1000)]),
    ("fldt   (%rax)", [MemoryAccess(kind: .read, address: 0x1000)]),
    ("fstpl  (%rax)", [MemoryAccess(kind: .write, address: 0x1000)]),
    (
        "rep movsb %ds:(%rsi),%es:(%rdi)",
        [MemoryAccess(kind: .read, address: 0x3000), MemoryAccess(kind: .write, address: 0x4000)]
    ),
    ("rep stos %al,%es:(%rdi)", [MemoryAccess(kind: .write, address: 0x4000)]),
    ("repnz scas %es:(%rdi),%al", [MemoryAccess(kind: .read, address: 0x4000)]),
    (
        "repz cmpsb %es:(%rdi),%ds:(%rsi)",
        [MemoryAccess(kind: .read, address: 0x4000), MemoryAccess(kind: .read, address: 0x3000)]
    ),
    ("vpcmpeqb (%rdi),%ymm0,%ymm1", [MemoryAccess(kind: .read, address: 0x4000)]),
    ("vpcmpeqb (%rdi),%ymm16,%k0", [MemoryAccess(kind: .read, address: 0x4000)]),
    ("vmovdqu8 %ymm16,(%rdi){%k1}", [MemoryAccess(kind: .write, address: 0x4000)]),
    ("vpgatherdd %ymm1,(%rax,%ymm2,4),%ymm3", [MemoryAccess(kind: .read, address: nil)]),
    (
        "call   *0x8(%rax)",
        [MemoryAccess(kind: .read, address: 0x1008, isTarget: true), MemoryAccess(kind: .write, address: 0x7ff8)]
    ),
    ("jmp    *(%rax)", [MemoryAccess(kind: .read, address: 0x1000, isTarget: true)]),
    ("call   0x401030 <abort@plt>", [MemoryAccess(kind: .write, address: 0x7ff8)]),
    ("jne    0x401030 <main+4>", []),
    ("ret", [MemoryAccess(kind: .read, address: 0x8000, isTarget: true)]),
    ("leave", [MemoryAccess(kind: .read, address: 0x9000)]),
    ("push   %rbp", [MemoryAccess(kind: .write, address: 0x7ff8)]),
    ("pop    %rbp", [MemoryAccess(kind: .read, address: 0x8000)]),
    ("lea    0x8(%rax),%rbx", []), ("nopw   0x0(%rax,%rax,1)", []), ("mov    %rax,%rbx", []), ("", []), ("(bad)", []),
    ("mov (((((,%%:,,$", []), ("mov %zmm:(,%,9),%", []), ("mov 0xffffffffffffffffff(%rax),%rax", []),
]

@Suite("Instructions as gdb prints them") struct InstructionTests {
    @Test(arguments: rows) func accessesAreThoseOfTheInstruction(text: String, accesses: [MemoryAccess]) {
        let instruction = Instruction(address: 0x40_00fc, length: 7, text: text)
        #expect(instruction.accesses(registers, wide: true) == accesses, "\(instruction)")
    }

    @Test func addressesOf32BitsWrap() {
        let instruction = Instruction(address: 0, length: 2, text: "mov %eax,0x8(%ecx)")
        let accesses = instruction.accesses(["ecx": 0xffff_fffc], wide: false)
        #expect(accesses == [MemoryAccess(kind: .write, address: 4)])
    }

    @Test func textIsWithoutGuessesOfTheDebuggerAndBounded() {
        let instruction = Instruction(address: 0, length: 5, text: "call   0x401030 <abort@plt>  # x")
        #expect(instruction.text == "call 0x401030")
        let long = Instruction(address: 0, length: -7, text: String(repeating: "(", count: 100_000))
        #expect(long.text.count == 200 && long.length == 0)
    }
}
