// Tells what a file is that somebody wants to send, by its first bytes and, of ELF, by its notes: as the server does, which
// has the last word.
"use strict";
window.identifyUpload = (() => {
  const ascii = (words) => [...words].map((letter) => letter.charCodeAt(0));
  const vmware = [0xbed0bed0, 0xbed2bed0, 0xbed2bed2, 0xbed3bed3, 0xbad1bad1, 0xbad2bad2].map(
    (magic) => [0, 8, 16, 24].map((shift) => magic >>> shift & 0xff));
  const archive = (type, bytes, at = 0) => ({ what: "archive", type, bytes, at });
  const kinds = [
    ...[ascii("KDUMP   "), ascii("DISKDUMP"), ascii("makedumpfile"), ...vmware].map(
      (bytes) => ({ what: "kernel", type: "application/octet-stream", bytes, at: 0 })),
    archive("application/x-gzip", [0x1f, 0x8b]),
    archive("application/x-xz-compressed-tar", [0xfd, 0x37, 0x7a, 0x58, 0x5a]),
    archive("application/zstd", [0x28, 0xb5, 0x2f, 0xfd]),
    archive("application/x-tar", ascii("ustar"), 257),
  ];
  const read = async (blob, at, count) => new DataView(await blob.slice(at, at + count).arrayBuffer());
  const words = (view, at, most) => {
    let text = "";
    for (let i = at; i < Math.min(at + most, view.byteLength) && view.getUint8(i); i++) text += String.fromCharCode(view.getUint8(i));
    return text;
  };

  // elf(5). Whether the notes are a kernel's or a process's; null where they do not tell.
  const isKernelByNotes = (view, little) => {
    for (let at = 0; at + 12 <= view.byteLength;) {
      const [nameSize, size, type] = [0, 4, 8].map((offset) => view.getUint32(at + offset, little));
      const name = words(view, at + 12, Math.min(nameSize, 32));
      if (["VMCOREINFO", "VMCOREINFO_XEN", "QEMU", "Xen"].includes(name)) return true;
      if (name === "CORE" && [3, 6, 0x46494c45].includes(type)) return false;
      at += 12 + 4 * Math.ceil(nameSize / 4) + 4 * Math.ceil(size / 4);
    }
    return null;
  };
  const identifyELF = async (blob) => {
    const head = await read(blob, 0, 64);
    const isWide = head.getUint8(4) === 2, little = head.getUint8(5) !== 2;
    const word = (view, at) => isWide ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little);
    if (head.getUint16(16, little) !== 4) return null;
    const entry = isWide ? { size: 56, offset: 8, physical: 24, length: 32 } : { size: 32, offset: 4, physical: 12, length: 16 };
    const count = head.getUint16(isWide ? 56 : 44, little);
    const table = await read(blob, word(head, isWide ? 32 : 28), entry.size * count);
    let isPhysical = false;
    for (let at = 0; at + entry.size <= table.byteLength; at += entry.size) {
      const type = table.getUint32(at, little);
      if (type === 1 && word(table, at + entry.physical) !== 0) isPhysical = true;
      if (type !== 4) continue;
      const notes = await read(blob, word(table, at + entry.offset), Math.min(word(table, at + entry.length), 1 << 20));
      const isKernel = isKernelByNotes(notes, little);
      if (isKernel !== null) return isKernel;
    }
    // A process has no physical addresses.
    return isPhysical;
  };

  // { what: "core" | "kernel" | "archive", type: its media type, isKernel }, or null for what no server takes.
  return async (blob) => {
    const start = await read(blob, 0, 512);
    const has = (bytes, at) => at + bytes.length <= start.byteLength && bytes.every((byte, i) => start.getUint8(at + i) === byte);
    if (has([0x7f, ...ascii("ELF")], 0)) {
      // What is cut off in its headers throws, and is no dump.
      const isKernel = await identifyELF(blob).catch(() => null);
      return isKernel === null ? null : { what: isKernel ? "kernel" : "core", type: "application/octet-stream", isKernel };
    }
    const kind = kinds.find((kind) => has(kind.bytes, kind.at));
    if (!kind) return null;
    const isKernel = kind.what === "kernel" || kind.at > 0 && words(start, 0, 100).replace(/^\.\//, "").startsWith("vmcore");
    return { what: kind.what, type: kind.type, isKernel };
  };
})();
