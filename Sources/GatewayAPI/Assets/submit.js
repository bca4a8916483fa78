// Sends a crash from the browser: the body of POST /create is the archive itself, or the dump of a kernel as it is. A bare
// core is packed into a plain tar here, beside the small files that say where it is from.
"use strict";
(() => {
  const form = document.getElementById("submit");
  if (!form || !window.XMLHttpRequest || !window.Blob || !window.identifyUpload) return;
  form.hidden = false;
  const byID = (id) => document.getElementById(id);
  const file = byID("file"), about = byID("about"), crashed = byID("crashed"), send = byID("send"), progress = byID("progress"), said = byID("said");
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
  const unknown = "This file is neither a coredump, nor the dump of a kernel, nor an archive that the server takes.";
  const pack = async () => {
    const chosen = file.files[0];
    const kind = await identifyUpload(chosen);
    if (kind === null) throw new Error(unknown);
    if (kind.what === "kernel") return { body: chosen, type: kind.type, isKernel: true };
    if (kind.what === "archive") return { body: chosen, type: kind.type, isKernel: form.elements.kernel.value === "yes" };
    const lines = [];
    for (const [name, id] of [["executable", "executable"], ["package", "package"], ["os_release", "release"]]) {
      const value = byID(id).value.trim();
      if (!value) { byID(id).focus(); throw new Error("For a bare coredump, fill in the three fields."); }
      lines.push([name, new Blob([value])]);
    }
    const archive = tar([["coredump", chosen], ...lines]);
    if (!window.CompressionStream || !form.dataset.formats.split(" ").includes("application/x-gzip")) {
      return { body: archive, type: "application/x-tar", isKernel: false };
    }
    tell("Packing …");
    const packed = archive.stream().pipeThrough(new CompressionStream("gzip"));
    return { body: await new Response(packed).blob(), type: "application/x-gzip", isKernel: false };
  };
  const upload = ({ body, type, isKernel }) => new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/create");
    request.setRequestHeader("Content-Type", type);
    request.setRequestHeader("X-Task-Type", isKernel ? "2" : "0");
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
    const chosen = file.files[0];
    const kind = chosen ? await identifyUpload(chosen) : null;
    if (chosen !== file.files[0]) return;
    about.hidden = !kind || kind.what !== "core";
    // What is inside of an archive only its sender knows.
    crashed.hidden = !kind || kind.what !== "archive";
    form.elements.kernel.value = kind && kind.isKernel ? "yes" : "no";
    if (chosen && !kind) tell(unknown, true);
    else tell(kind && kind.what === "kernel" ? "This is the dump of a kernel. It is sent as it is." : "");
  });
  about.addEventListener("input", () => tell(""));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!file.files[0]) { tell("Choose a file first.", true); file.focus(); return; }
    send.disabled = true;
    try {
      const packed = await pack();
      const { body, isKernel } = packed;
      if (body.size > Number(isKernel ? form.dataset.largestKernel : form.dataset.largest)) throw new Error(`The archive has ${mebibytes(body.size)}, which is more than the server takes.`);
      const answer = await upload(packed);
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
