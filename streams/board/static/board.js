// What the pages need beside htmx: the line of events, countdowns, the viewer's zone, the keyboard, one chart.
"use strict";
(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const known = document.cookie.split("; ").includes("zone=" + encodeURIComponent(zone));
  if (!known) document.cookie = "zone=" + encodeURIComponent(zone) + "; path=/; max-age=31536000; SameSite=Lax";

  const changed = () => document.body.dispatchEvent(new Event("changed"));
  let due = false, last = 0;
  const ask = () => { // the server says so once a second at most; not while nobody looks
    if (document.hidden) { due = true; return; }
    const wait = last + 500 - Date.now();
    if (wait > 0) { if (!due) { due = true; setTimeout(() => { due = false; ask(); }, wait); } return; }
    due = false; last = Date.now(); changed();
  };
  document.addEventListener("visibilitychange", () => { if (!document.hidden && due) ask(); });
  setInterval(ask, 15000); // what changes with time alone

  let part = ""; // what of the page is shown, as the server marks it: asked for again, only what is new is sent
  document.addEventListener("htmx:configRequest", (event) => { if (event.detail.elt.id === "live" && part) event.detail.headers["X-Has-Part"] = part; });
  document.addEventListener("htmx:afterSwap", (event) => { if (event.detail.elt.id === "live") part = event.detail.xhr.getResponseHeader("X-Part") || ""; });

  const lamp = (on) => {
    const light = document.getElementById("lamp"), text = document.getElementById("lamp-text");
    if (!light) return;
    light.className = "pulse " + (on ? "on" : "off");
    text.textContent = on ? "Live" : "Connection lost, trying again";
  };
  if (document.getElementById("live")) {
    const source = new EventSource("/events");
    source.addEventListener("open", () => lamp(true));
    source.addEventListener("error", () => lamp(false));
    source.addEventListener("changed", ask);
  }

  const two = (n) => String(n).padStart(2, "0");
  const countdown = (seconds) => {
    const word = seconds >= 0 ? "left" : "late", whole = Math.floor(Math.abs(seconds));
    if (whole >= 172800) return Math.floor(whole / 86400) + " days " + word;
    const h = Math.floor(whole / 3600), m = Math.floor(whole / 60) % 60, s = whole % 60;
    return (h ? h + ":" + two(m) : m) + ":" + two(s) + " " + word;
  };
  const tick = () => {
    for (const one of document.querySelectorAll("[data-due]")) {
      const seconds = (Date.parse(one.dataset.due) - Date.now()) / 1000;
      one.textContent = countdown(seconds);
      one.className = "left " + (seconds < 0 ? "late" : seconds < 300 ? "soon" : "calm");
    }
  };
  setInterval(tick, 1000);

  let plot = null, drawn = "";
  const chart = () => {
    const place = document.getElementById("chart");
    if (!place || !window.uPlot) return;
    const said = place.dataset.points;
    if (said === drawn && plot && plot.root.isConnected) return;
    const points = JSON.parse(said), style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    if (plot && plot.root.isConnected) { plot.setData(points); drawn = said; return; }
    place.textContent = "";
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px Inter, sans-serif" };
    plot = new window.uPlot({
      width: place.clientWidth - 24, height: 170, padding: [null, 24, null, null], legend: { show: false }, cursor: { show: false },
      scales: { y: { range: (u, low, high) => [0, Math.max(4, high * 1.1)] } },
      axes: [
        { ...axis, size: 30, space: 70, grid: { show: false }, values: (u, at) => at.map((t) => two(new Date(t * 1000).getHours()) + ":" + two(new Date(t * 1000).getMinutes())) },
        { ...axis, size: 36, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 10000] },
      ],
      series: [{},
        { stroke: colour("--accent"), width: 2, fill: colour("--accent-soft"), points: { show: false } },
        { stroke: colour("--soon"), width: 2, points: { show: false } },
      ],
    }, points, place);
    drawn = said;
  };
  const redraw = () => { if (plot) plot.destroy(); plot = null; drawn = ""; chart(); };
  const centre = () => { // on a phone the pages are a strip
    const nav = document.querySelector(".side ul"), current = nav && nav.querySelector("[aria-current]");
    if (current) nav.scrollLeft = current.offsetLeft + current.offsetWidth / 2 - nav.clientWidth / 2;
  };
  addEventListener("resize", () => { redraw(); centre(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

  // The chart belongs to uPlot, not to the server's HTML.
  document.addEventListener("DOMContentLoaded", () => {
    if (window.Idiomorph) {
      window.Idiomorph.defaults.callbacks.beforeNodeMorphed = (before, after) => {
        if (before.id === "chart") { before.dataset.points = after.dataset.points; return false; }
        if (before.tagName === "DETAILS" && before.open) after.open = true;
        return true;
      };
    }
    chart(); tick();
    centre();
    if (!known && document.getElementById("live")) changed();
  });
  document.addEventListener("htmx:afterSwap", () => { chart(); tick(); });

  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "Escape" && typing) { event.target.blur(); return; }
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") { event.preventDefault(); document.getElementById("q")?.focus(); return; }
    if (event.key === "j" || event.key === "k") {
      const links = [...document.querySelectorAll("main a.row")];
      if (!links.length) return;
      const at = links.indexOf(document.activeElement);
      links[event.key === "j" ? Math.min(at + 1, links.length - 1) : Math.max(at - 1, 0)].focus();
      return;
    }
    if (/^[1-8]$/.test(event.key)) document.querySelectorAll(".side li a")[event.key - 1]?.click();
  });
})();
