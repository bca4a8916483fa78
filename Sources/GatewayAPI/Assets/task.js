// What is live on the page of a task: its stages as they happen. Without this script the page loads itself anew.
"use strict";
(() => {
  const live = document.getElementById("live");
  if (!live || !window.EventSource) return;
  const order = ["ingest", "resolve", "fetch", "build", "retrace"];
  const text = (id, words) => {
    const element = document.getElementById(id);
    if (element && element.textContent !== words) element.textContent = words;
  };
  const seconds = (number) => (number < 10 ? number.toFixed(2) : number.toFixed(0)) + " s";
  const show = (status) => {
    const done = {};
    for (const timing of status.timings || []) done[timing.stage] = timing.seconds;
    const reached = order.indexOf(status.stage);
    for (const item of document.querySelectorAll("#stages li")) {
      const stage = item.dataset.stage;
      const place = order.indexOf(stage);
      const isDone = done[stage] !== undefined || place < reached;
      const isNow = place === reached && done[stage] === undefined;
      item.className = isDone ? "done" : isNow ? "now" : "todo";
      if (stage === "fetch") item.hidden = !(stage in done) && status.stage !== "fetch";
      if (isNow) item.setAttribute("aria-current", "step"); else item.removeAttribute("aria-current");
      item.querySelector(".time").textContent = done[stage] !== undefined ? seconds(done[stage]) : "";
    }
    const lines = (status.text || "").trim().split("\n");
    text("said", lines[0] || "");
    text("more", lines.slice(1).join(" "));
    const bar = document.getElementById("fraction");
    if (bar) {
      bar.hidden = status.fraction === undefined || status.kind !== "progress";
      if (!bar.hidden) bar.value = status.fraction;
    }
  };
  // A stream that breaks is opened anew by the browser itself. One that is refused (too many listen, or a proxy answers
  // for a gateway that is being restarted) is closed for good: then the status is asked for, now and then, and after
  // each answer the stream once more.
  const pause = { least: 5000, most: 60000, next: 5000 };
  const later = (slower) => {
    pause.next = slower ? Math.min(2 * pause.next, pause.most) : pause.least;
    setTimeout(ask, pause.next);
  };
  const ask = async () => {
    try {
      const answer = await fetch(live.dataset.status, { headers: { Accept: "application/json" }, cache: "no-store" });
      const isGone = answer.status === 403 || answer.status === 404;
      const status = answer.ok ? await answer.json() : null;
      if (isGone || status && status.state !== "PENDING") { window.location.reload(); return; }
      if (!status) { later(true); return; }
      show(status);
    } catch { later(true); return; }
    pause.next = pause.least;
    listen();
  };
  const listen = () => {
    const stream = new EventSource(live.dataset.events);
    stream.addEventListener("status", (event) => { try { show(JSON.parse(event.data)); } catch { /* the next one is whole */ } });
    stream.addEventListener("end", () => { stream.close(); window.location.reload(); });
    stream.addEventListener("error", () => { if (stream.readyState === EventSource.CLOSED) later(false); });
  };
  listen();
})();
