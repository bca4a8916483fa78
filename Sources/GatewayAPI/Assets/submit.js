// Sends a coredump or a problem archive from the browser: the body of POST /create is the archive itself. A bare core is
// packed into a plain tar here, beside the small files that say where it is from.
"use strict";
(() => {
  const form = document.getElementById("submit");
  if (!form || !window.XMLHttpRequest || !window.Blob) return;
  form.hidden = false;
  const byID = (id) => document.getElementById(id);
  const file = byID("file"), about = byID("about"), send = byID("send"), progress = byID("progress"), said = byID("said");
  const kinds = [
    { type: "core", at: 0, bytes: [0x7f, 0x45, 0x4c, 0x46] },
    { type: "application/x-gzip", at: 0, bytes: [0x1f, 0x8b] },
    { type: "application/x-xz-compressed-tar", at: 0, bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a] },
    { type: "application/zstd", at: 0, bytes: [0x28, 0xb5, 0x2f, 0xfd] },
    { type: "application/x-tar", at: 257, bytes: [0x75, 0x73, 0x74, 0x61, 0x72] },
  ];
  const kindOf = async (blob) => {
    const start = new Uint8Array(await blob.slice(0, 512).arrayBuffer());
    const kind = kinds.find((kind) => kind.bytes.every((byte, index) => start[kind.at + index] === byte));
    return kind ? kind.type : null;
  };
  const header = (name, size) => {
    const block = new Uint8Array(512);
    const put = (at, words) => { for (let i = 0; i < words.length; i++) block[at + i] = words.charCodeAt(i); };
    put(0, name); put(100, "0000600\0"); put(108, "0000000\0"); put(116, "0000000\0");
    if (size < 0o77777777777) put(124, size.toString(8).padStart(11, "0") + "\0");
    else { // GNU tar's base 256
      block[124] = 0x80;
      for (let i = 135, rest = size; i > 124 && rest > 0; i--) { block[i] = rest % 256; rest = Math.floor(rest / 256); }
      block[124] = 0x80;
    }
    put(136, "00000000000\0"); put(148, "        "); put(156, "0"); put(257, "ustar\0" + "00");
    const sum = block.reduce((total, byte) => total + byte, 0);
    put(148, sum.toString(8).padStart(6, "0") + "\0 ");
    return block;
  };
  const tar = (members) => {
    const parts = [];
    for (const [name, blob] of members) parts.push(header(name, blob.size), blob, new Uint8Array((512 - blob.size % 512) % 512));
    return new Blob([...parts, new Uint8Array(1024)]);
  };
  const tell = (words, isBad) => { said.textContent = words; said.className = isBad ? "bad" : "soft"; };
  const mebibytes = (bytes) => (bytes / 1048576).toFixed(1) + " MiB";
  const pack = async () => {
    const chosen = file.files[0];
    const type = await kindOf(chosen);
    if (type === null) throw new Error("This file is neither a coredump nor an archive that the server takes.");
    if (type !== "core") return [chosen, type];
    const lines = [];
    for (const [name, id] of [["executable", "executable"], ["package", "package"], ["os_release", "release"]]) {
      const value = byID(id).value.trim();
      if (!value) { byID(id).focus(); throw new Error("For a bare coredump, fill in the three fields."); }
      lines.push([name, new Blob([value])]);
    }
    const archive = tar([["coredump", chosen], ...lines]);
    if (!window.CompressionStream || !form.dataset.formats.split(" ").includes("application/x-gzip")) return [archive, "application/x-tar"];
    tell("Packing …");
    const packed = archive.stream().pipeThrough(new CompressionStream("gzip"));
    return [await new Response(packed).blob(), "application/x-gzip"];
  };
  const upload = (body, type) => new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/create");
    request.setRequestHeader("Content-Type", type);
    request.setRequestHeader("X-Task-Type", "0");
    request.upload.onprogress = (event) => {
      if (!event.lengthComputable) return;
      progress.hidden = false;
      progress.max = event.total; progress.value = event.loaded;
      tell(event.loaded < event.total ? `Sent ${mebibytes(event.loaded)} of ${mebibytes(event.total)}` : "Sent; the server looks at it …");
    };
    request.onload = () => resolve(request);
    request.onerror = () => reject(new Error("The connection broke. Send it again."));
    request.send(body);
  });
  file.addEventListener("change", async () => {
    const type = file.files[0] ? await kindOf(file.files[0]) : null;
    about.hidden = type !== "core";
    const isWrong = file.files[0] !== undefined && type === null;
    tell(isWrong ? "This file is neither a coredump nor an archive that the server takes." : "", isWrong);
  });
  about.addEventListener("input", () => tell(""));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!file.files[0]) { tell("Choose a file first.", true); file.focus(); return; }
    send.disabled = true;
    try {
      const [body, type] = await pack();
      if (body.size > Number(form.dataset.largest)) throw new Error(`The archive has ${mebibytes(body.size)}, which is more than the server takes.`);
      const answer = await upload(body, type);
      const id = answer.getResponseHeader("X-Task-Id"), password = answer.getResponseHeader("X-Task-Password");
      if (answer.status !== 201 || !id || !password) throw new Error(answer.responseText.trim() || `The server answered ${answer.status}.`);
      tell("");
      byID("task-id").textContent = id;
      byID("task-password").textContent = password;
      byID("open-password").value = password;
      byID("open").action = `/${encodeURIComponent(id)}/open`;
      form.hidden = true;
      byID("done").hidden = false;
      byID("done-title").focus();
    } catch (error) {
      tell(error.message, true);
    } finally {
      send.disabled = false;
      progress.hidden = true;
    }
  });
})();
