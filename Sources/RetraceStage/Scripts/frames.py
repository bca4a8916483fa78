# Runs inside gdb and writes the stacks of all threads as lines of JSON to the file named by OUTPUT.
# ABORTED says whether the signal was SIGABRT.
# The reader takes none of it on trust. A line per frame, so that what was written before a kill still counts.
# The module json is left alone: importing it costs as much time as all the rest.
import gdb
import os

MAX_FRAMES = 2048
MAX_THREADS = 4096
MAX_VARIABLES = 256
MAX_TEXT = 2048
MAX_BYTES = 48 << 20
# Frames of the crashed thread that get the lines around theirs, where a package of source code is in the root.
SOURCE_FRAMES = 10
SOURCE_LINES = 5
SOURCE_ROOT = "/usr/src/debug/"
SOURCE_BYTES = 8 << 20
MAX_REGISTERS = 128
MAX_MESSAGE = 512


def quoted(text):
    units = []
    for character in text:
        if " " <= character <= "~" and character not in '"\\':
            units.append(character)
        else:
            pair = character.encode("utf-16-be", "replace")
            units.extend("\\u%04x" % (pair[i] << 8 | pair[i + 1]) for i in range(0, len(pair), 2))
    return '"' + "".join(units) + '"'


def encoded(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict):
        return "{" + ", ".join(quoted(key) + ": " + encoded(entry) for key, entry in value.items()) + "}"
    return "[" + ", ".join(map(encoded, value)) + "]"


def cut(text):
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "..."


def describe(value):
    try:
        if value.is_optimized_out:
            return "<optimized out>"
        return cut(value.format_string())
    except Exception as error:
        return cut("<%s>" % error)


def variables(frame):
    arguments, local = [], []
    try:
        block = frame.block()
    except RuntimeError:
        return arguments, local
    while block is not None:
        for symbol in block:
            wanted = arguments if symbol.is_argument else local if symbol.is_variable else None
            if wanted is None or len(wanted) >= MAX_VARIABLES:
                continue
            try:
                text = describe(symbol.value(frame) if symbol.needs_frame else symbol.value())
            except Exception as error:
                text = cut("<%s>" % error)
            wanted.append([cut(symbol.print_name), text])
        if block.function is not None:
            break
        block = block.superblock
    return arguments, local


def source(place):
    """The lines around a place, with the number of the first; the file's name is the crash's, so that it may be any."""
    try:
        path = os.path.realpath(place.symtab.fullname())
        if not path.startswith(SOURCE_ROOT) or place.line < 1 or os.path.getsize(path) > SOURCE_BYTES:
            return None
        with open(path, encoding="utf-8", errors="replace") as stream:
            lines = stream.read().split("\n")
    except Exception:
        return None
    first = max(1, place.line - SOURCE_LINES)
    around = [cut(line) for line in lines[first - 1 : place.line + SOURCE_LINES]]
    return (first, around) if around and place.line <= len(lines) else None


def record(frame, level, crashed):
    trampoline = frame.type() == gdb.SIGTRAMP_FRAME
    entry = {"level": level, "pc": frame.pc(), "inline": frame.type() == gdb.INLINE_FRAME, "signal": trampoline}
    name = None if trampoline else frame.name()
    if name is not None:
        entry["function"] = cut(name)
    # gdb prints no source line of a frame that it cannot name.
    place = frame.find_sal()
    if name is not None and place.symtab is not None:
        entry["file"] = cut(place.symtab.filename)
        entry["line"] = place.line
        excerpt = source(place) if crashed and level < SOURCE_FRAMES else None
        if excerpt:
            entry["source_first"], entry["source"] = excerpt
    if not trampoline:
        entry["arguments"], entry["locals"] = variables(frame)
    return entry


class Lines:
    def __init__(self, path):
        self.stream = open(path, "w", encoding="utf-8", errors="replace")
        self.left = MAX_BYTES

    def write(self, entry):
        text = encoded(entry)
        self.left -= len(text) + 1
        if self.left < 0:
            return False
        self.stream.write(text + "\n")
        return True


def stack(lines, thread, crashed):
    thread.switch()
    header = {"thread": thread.num, "lwp": thread.ptid[1], "crashed": crashed}
    if thread.name:
        header["name"] = cut(thread.name)
    lines.write(header)
    frame, level, reason = gdb.newest_frame(), 0, None
    while frame is not None and level < MAX_FRAMES:
        if not lines.write(record(frame, level, crashed)):
            reason = "the limit of the output was reached"
            break
        try:
            older = frame.older()
        except gdb.error as error:
            reason = str(error)
            break
        if older is None:
            stop = frame.unwind_stop_reason()
            if stop not in (gdb.FRAME_UNWIND_NO_REASON, gdb.FRAME_UNWIND_NULL_ID, gdb.FRAME_UNWIND_OUTERMOST):
                reason = gdb.frame_stop_reason_string(stop)
        frame, level = older, level + 1
    if frame is not None and reason is None:
        reason = "there are more than %d frames" % MAX_FRAMES
    lines.write({"end": cut(reason) if reason else None})


def registers():
    """Names and values of what gdb prints as hexadecimal numbers."""
    found = []
    for line in gdb.execute("info registers", to_string=True).split("\n")[:MAX_REGISTERS]:
        words = line.split()
        if len(words) > 1 and words[1].startswith("0x"):
            found.append({"name": cut(words[0]), "value": int(words[1], 16)})
    return found


def message(symbol, skipped):
    """The text that a pointer of a library leads to: of __abort_msg behind its size, which is an int."""
    start = int(gdb.parse_and_eval("(unsigned long)" + symbol))
    if start == 0:
        return None
    start += skipped
    size = min(MAX_MESSAGE, 4096 - start % 4096)
    text = bytes(gdb.selected_inferior().read_memory(start, size)).split(b"\0")[0]
    return text.decode("utf-8", "replace") or None


def attempt(action):
    try:
        return action()
    except Exception:
        return None


def site(aborted):
    """What a rating of exploitability needs of the crashed thread; each part may be missing."""
    frame = gdb.newest_frame()
    pc = frame.pc()
    entry = {"site": True, "pc": pc}
    instruction = attempt(lambda: frame.architecture().disassemble(pc)[0])
    if instruction:
        entry["instruction"], entry["length"] = cut(instruction["asm"]), instruction["length"]
    entry["registers"] = attempt(registers) or []
    # Types of C's own: any other name would make gdb search the debuginfo.
    stack, size = (attempt(lambda: int(gdb.parse_and_eval(text))) for text in ("(unsigned long)$sp", "sizeof(long)"))
    if stack and size:
        entry["top"] = attempt(lambda: int.from_bytes(bytes(gdb.selected_inferior().read_memory(stack, size)), "little"))
    if aborted:
        found = [attempt(lambda: message("__abort_msg", 4)), attempt(lambda: message("__glib_assert_msg", 0))]
        entry["messages"] = [cut(text) for text in found if text]
    return entry


def main(path):
    lines = Lines(path)
    lines.write({"gdb": cut(gdb.VERSION)})
    selected = gdb.selected_thread()
    threads = sorted(gdb.selected_inferior().threads(), key=lambda thread: thread.num)
    threads.sort(key=lambda thread: selected is None or thread.num != selected.num)
    for thread in threads[:MAX_THREADS]:
        try:
            crashed = selected is not None and thread.num == selected.num
            stack(lines, thread, crashed)
            if crashed:
                lines.write(site(ABORTED))
        except Exception as error:
            lines.write({"end": cut(str(error))})
        lines.stream.flush()
    if selected is not None:
        selected.switch()
        gdb.newest_frame().select()
    lines.write({"done": len(threads)})
    lines.stream.close()


main(OUTPUT)
