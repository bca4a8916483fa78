/// The stacks of every thread at the moment of the crash.
package struct Backtrace: Hashable, Sendable {
    /// The crashing thread first.
    package let threads: [BacktraceThread]

    package init(threads: [BacktraceThread]) { self.threads = threads }
}

/// One thread and its frames, innermost first.
package struct BacktraceThread: Hashable, Sendable {
    /// gdb's number of the thread, from 1.
    package let number: Int
    /// The kernel's id of the thread (LWP).
    package let threadID: Int?
    package let name: String?
    package let crashed: Bool
    package let frames: [BacktraceFrame]
    /// Why there are no more frames, when that is not the end of the stack.
    package let endReason: String?

    package init(
        number: Int, threadID: Int?, name: String?, crashed: Bool, frames: [BacktraceFrame], endReason: String? = nil
    ) {
        self.number = number
        self.threadID = threadID
        self.name = name
        self.crashed = crashed
        self.frames = frames
        self.endReason = endReason
    }
}

/// One call on a stack.
package struct BacktraceFrame: Hashable, Sendable {
    /// gdb's number of the frame in its thread, from 0.
    package let level: Int
    package let address: UInt64
    /// nil where nothing names the code.
    package let function: String?
    /// How far ``address`` is behind the function's begin, in bytes; nil where the debugger does not say.
    package let offset: UInt64?
    package let sourceFile: String?
    package let sourceLine: Int?
    /// The lines around ``sourceLine``; nil unless a package with the source code was in the root.
    package let source: SourceExcerpt?
    /// The path of the module that holds ``address``.
    package let module: String?
    package let buildID: BuildID?
    package let package: NEVRA?
    /// Whether the compiler put the call into its caller; gdb shows it as a frame all the same.
    package let inlined: Bool
    package let arguments: [BacktraceVariable]
    package let locals: [BacktraceVariable]

    package init(
        level: Int, address: UInt64, function: String?, sourceFile: String?, sourceLine: Int?, module: String?,
        buildID: BuildID?, package: NEVRA?, inlined: Bool, arguments: [BacktraceVariable], locals: [BacktraceVariable],
        source: SourceExcerpt? = nil, offset: UInt64? = nil
    ) {
        self.level = level
        self.address = address
        self.function = function
        self.sourceFile = sourceFile
        self.sourceLine = sourceLine
        self.module = module
        self.buildID = buildID
        self.package = package
        self.inlined = inlined
        self.arguments = arguments
        self.locals = locals
        self.source = source
        self.offset = offset
    }
}

/// Some lines of a source file.
package struct SourceExcerpt: Hashable, Sendable {
    /// The number of the first line, from 1.
    package let firstLine: Int
    package let lines: [String]

    package init(firstLine: Int, lines: [String]) {
        self.firstLine = firstLine
        self.lines = lines
    }
}

/// A named value of a frame, printed by the debugger.
package struct BacktraceVariable: Hashable, Sendable {
    package let name: String
    package let value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}
