import CrashModel
import FoundationEssentials

/// What the script of frames wrote, read without trust: gdb may be compromised by the core.
struct FrameLines {
    var threads: [ScriptThread] = []
    /// The crashed thread's registers and instruction.
    var site: ScriptSite?
    /// gdb's version by its own word.
    var version: String?
    /// Whether the last line is there.
    var complete = false
    /// Lines that could not be read, and threads or frames over the limits.
    var refused = 0

    struct ScriptThread {
        var number: Int
        var threadID: Int?
        var name: String?
        var crashed: Bool
        var frames: [ScriptFrame] = []
        var endReason: String?
    }

    struct ScriptFrame: Decodable {
        var level: Int
        var pc: UInt64
        var inline: Bool
        var signal: Bool
        var function: String?
        var file: String?
        var line: Int?
        var sourceFirst: Int?
        var source: [String]?
        var arguments: [[String]]?
        var locals: [[String]]?

        private enum CodingKeys: String, CodingKey {
            case level, pc, inline, signal, function, file, line, source, arguments, locals
            case sourceFirst = "source_first"
        }
    }

    struct ScriptSite: Decodable {
        var pc: UInt64
        /// Disassembled, with its length in bytes.
        var instruction: String?
        var length: Int?
        var registers: [Register]
        /// The word that the stack pointer points to, as a little-endian machine reads it.
        var top: UInt64?
        var messages: [String]?

        struct Register: Decodable {
            var name: String
            var value: UInt64
        }
    }

    private struct Line: Decodable {
        var gdb: String?
        var thread: Int?
        var lwp: Int?
        var name: String?
        var crashed: Bool?
        var done: Int?
    }

    private struct EndLine: Decodable {
        var end: String?
    }

    /// - Parameter bytes: The whole of the file, already bounded.
    init(_ bytes: [UInt8], limits: RetraceLimits) {
        let decoder = JSONDecoder()
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            // The shape of a line is told by its first key, which saves decoding it several times over.
            if line.starts(with: #"{"level""#.utf8) {
                guard let frame = try? decoder.decode(ScriptFrame.self, from: Data(line)), !threads.isEmpty,
                    threads[threads.count - 1].frames.count < limits.frames,
                    frame.level == threads[threads.count - 1].frames.count
                else {
                    refused += 1
                    continue
                }
                threads[threads.count - 1].frames.append(frame)
            } else if line.starts(with: #"{"site""#.utf8) {
                // Only the first counts, and a long one is no work of the script's.
                guard site == nil, line.count <= 64 << 10 else {
                    refused += 1
                    continue
                }
                site = try? decoder.decode(ScriptSite.self, from: Data(line))
            } else if line.starts(with: #"{"end""#.utf8) {
                let end = try? decoder.decode(EndLine.self, from: Data(line))
                if !threads.isEmpty { threads[threads.count - 1].endReason = end?.end }
            } else {
                take(try? decoder.decode(Line.self, from: Data(line)), limits: limits)
            }
        }
    }

    private mutating func take(_ line: Line?, limits: RetraceLimits) {
        guard let line else {
            refused += 1
            return
        }
        if let gdb = line.gdb { version = gdb }
        if line.done != nil { complete = true }
        guard let number = line.thread else { return }
        guard threads.count < limits.threads else {
            refused += 1
            return
        }
        threads.append(
            ScriptThread(number: number, threadID: line.lwp, name: line.name, crashed: line.crashed ?? false))
    }
}
