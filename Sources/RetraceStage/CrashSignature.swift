package import CrashModel

/// What crashes of the same cause have in common: the topmost functions of the crashing thread.
package struct CrashSignature: Hashable, Sendable {
    /// 16 hexadecimal digits: FNV-1a (64 bits) over ``functions``, the same on every host and for ever.
    package let hash: String
    /// At most five names, the innermost first; `module+0xoffset` where nothing names the code.
    package let functions: [String]

    package init(of thread: BacktraceThread?, modules: [LoadedModule]) {
        self.init(of: thread, modules: modules, without: Self.isPlumbing)
    }

    /// - Parameter isPlumbing: Whether a function of that name says nothing of the cause.
    init(of thread: BacktraceThread?, modules: [LoadedModule], without isPlumbing: (String) -> Bool) {
        let names = Self.meaningful(thread?.frames ?? [], without: isPlumbing).map { frame in
            frame.function.map(Self.normalised) ?? Self.place(of: frame.address, in: modules)
        }
        functions = names.prefix(5).map { String($0.prefix(300)) }
        hash = Self.fnv(functions.joined(separator: "\n"))
    }

    /// The frames of the cause: without the plumbing above it, and without the nameless code between that.
    static func meaningful(
        _ frames: [BacktraceFrame], without isPlumbing: (String) -> Bool = Self.isPlumbing
    ) -> [BacktraceFrame] {
        let frames = Array(frames.prefix(200))
        let plumbing = frames.map { $0.function.map { isPlumbing(Self.normalised($0)) } }
        let top = plumbing.prefix { $0 ?? true }
        let below = (top.lastIndex { $0 == true }).map { $0 + 1 } ?? 0
        let rest = zip(frames, plumbing).dropFirst(below).filter { $0.1 != true }.map(\.0)
        return rest.isEmpty ? frames : rest
    }

    /// A function's name without what the compiler and the linker put around it: `__GI_`, `.cold`, `.part.0`, `@plt`.
    static func normalised(_ function: String) -> String {
        var name = Substring(function)
        // A name from the table of symbols has its parameters behind it; one from DWARF has not.
        if name.hasSuffix(")"), let list = name.lastIndex(of: "("), list != name.startIndex,
            !name.hasSuffix("operator()")
        {
            name = name[..<list]
        }
        if name.hasPrefix("__GI_") { name = name.dropFirst(5) }
        for suffix in [".cold", ".part.", ".isra.", ".constprop.", ".lto_priv.", "@plt", "@@"] {
            if let range = name.firstRange(of: suffix), range.lowerBound != name.startIndex {
                name = name[..<range.lowerBound]
            }
        }
        return String(name)
    }

    /// Whether a function only carries a failure that its caller noticed, or is the kernel's return from a handler.
    static func isPlumbing(_ name: String) -> Bool {
        plumbing.contains(name) || name.hasPrefix("__pthread_kill") || name.hasPrefix("__assert")
            || name.hasPrefix("__cxxabiv1::") || name.hasPrefix("__gnu_cxx::__verbose_terminate")
    }

    private static let plumbing: Set<String> = [
        "raise", "gsignal", "abort", "pthread_kill", "tgkill", "kill", "syscall", "assert_fail", "__libc_message",
        "__libc_fatal", "malloc_printerr", "__fortify_fail", "__chk_fail", "__stack_chk_fail", "std::terminate",
        "__cxa_throw", "__cxa_rethrow", "g_assertion_message", "g_assertion_message_expr", "g_logv", "g_log",
        "g_log_default_handler", "__kernel_vsyscall", signalHandlerName,
    ]

    private static func place(of address: UInt64, in modules: [LoadedModule]) -> String {
        guard let module = modules.module(at: address) else { return "??" }
        let name = module.path.split(separator: "/").last.map(String.init) ?? module.path
        return "\(name)+0x\(String(address - module.start, radix: 16))"
    }

    /// http://www.isthe.com/chongo/tech/comp/fnv/: offset basis and prime of 64 bits.
    private static func fnv(_ text: String) -> String {
        let hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// How gdb shows the frame that the kernel puts on the stack to run a signal's handler.
let signalHandlerName = "<signal handler called>"

extension [LoadedModule] {
    /// The module in whose mapped range `address` lies.
    func module(at address: UInt64) -> LoadedModule? {
        first { $0.start <= address && address < $0.end }
    }
}
