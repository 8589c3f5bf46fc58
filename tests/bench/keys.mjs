// SPDX-License-Identifier: LGPL-2.1-or-later
// Key to pixels and key to painted at 1920x1080 in one Chromium after the
// other: ours, wayvnc + noVNC on the same kind of sway, TigerVNC + noVNC.
//   node tests/bench/keys.mjs [--presses N] [--rounds N] [--stack NAME ...]
//     [--content cell|typing|scroll|drag|video]
// A press changes one cell, or shows the next picture of a content of
// `porthole bench frames`; with a content, 10 s of 60 pictures a second follow
// and those that the page shows are counted.
// Needs wayvnc, tigervnc-standalone-server and xterm (Debian packages), and
// PORTHOLE_BUILD (default build).
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { WebSocketServer } from "ws";
import { launch } from "../browser/harness.mjs";

const { values } = parseArgs({ options: {
  presses: { type: "string", default: "60" },
  rounds: { type: "string", default: "2" },
  stack: { type: "string", multiple: true, default: [] },
  content: { type: "string", default: "cell" },
} });
const build = path.resolve(process.env.PORTHOLE_BUILD ?? "build");
process.env.PORTHOLE_BIN ??= path.join(build, "src/cli/porthole");
process.env.PORTHOLE_WL_PATCH ??=
  path.join(build, "tests/integration/wl_patch");
process.env.PORTHOLE_X_PATCH ??=
  path.join(build, "tests/integration/x_patch");
const { Place, until } = await import("../integration/porthole.mjs");
const { Desk } = await import("../integration/desk.mjs");
const { DESKTOPS } = await import("../integration/desktops.mjs");
const root = new URL("../../", import.meta.url).pathname;
const VIEWPORT = { width: 1920, height: 1080 };
/** What a press surely changes, and the ms between presses: what refines a
 * still picture is over by then. */
const CONTENTS = {
  cell: { rect: [960, 540, 8, 8], pause: 300 },
  typing: { rect: [68, 92, 800, 900], pause: 1200 },
  scroll: { rect: [100, 500, 64, 34], pause: 1200 },
  drag: { rect: [340, 400, 64, 102], pause: 1200 }, // in 30 steps
  video: { rect: [960, 540, 8, 8], pause: 1200 },
};
const { rect: RECT, pause: PAUSE } = CONTENTS[values.content];
const MOVING_SECONDS = 10;

const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

function percentile(all, p) {
  const sorted = [...all].sort((a, b) => a - b);
  return +sorted[Math.min(sorted.length - 1,
    Math.floor(sorted.length * p))].toFixed(1);
}

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function reachable(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1")
      .on("connect", () => { socket.destroy(); resolve(true); })
      .on("error", () => resolve(false));
  });
}

/** Serves vnc.html and noVNC, and hands /vnc on to a VNC server. */
async function bridge(port) {
  const types = { ".html": "text/html", ".js": "text/javascript" };
  const server = http.createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const file = pathname.startsWith("/novnc/")
      ? path.join(root, "node_modules/@novnc/novnc", pathname.slice(7))
      : path.join(root, "tests/bench", pathname);
    try {
      const body = await readFile(file);
      response.setHeader("Content-Type",
        types[path.extname(file)] ?? "application/octet-stream");
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  new WebSocketServer({ server, perMessageDeflate: false })
    .on("connection", (ws) => {
      const tcp = net.connect({ port, host: "127.0.0.1", noDelay: true });
      tcp.on("data", (data) => ws.send(data)).on("error", () => ws.close())
        .on("close", () => ws.close());
      ws.on("message", (data) => tcp.write(data))
        .on("close", () => tcp.destroy());
    });
  await new Promise((resolve) => { server.listen(0, "127.0.0.1", resolve); });
  return { url: `http://127.0.0.1:${server.address().port}/vnc.html`,
    close: () => { server.closeAllConnections(); server.close(); } };
}

/** The test window's picture from its beginning. */
function show(desk) {
  if (values.content === "cell") {
    desk.draw("rect 0 0 1920 1080 303030");
    desk.tell(`echo ${RECT[0]} ${RECT[1]}`);
  } else {
    desk.tell(`scene ${values.content}`);
  }
}

/** Frames a second that a page shows of 60 pictures a second; shown: how many
 * it showed so far. */
async function moving(desk, shown) {
  const before = await shown();
  const began = performance.now();
  for (let n = 1; n <= MOVING_SECONDS * 60; n++) {
    desk.tell("step");
    await sleep(Math.max(0, began + n * 1000 / 60 - performance.now()));
  }
  await sleep(500);
  return (await shown() - before) / MOVING_SECONDS;
}

async function vncPresses(port, rect, click, desk = null) {
  const served = await bridge(port);
  const result = {};
  for (const defer of [true, false]) {
    const browser = await launch({ viewport: VIEWPORT, defer });
    const page = await browser.context.newPage();
    await page.goto(served.url);
    await page.waitForFunction(() => document.body.dataset.ready === "yes");
    if (desk) show(desk);
    await sleep(1500);
    await page.mouse.click(...click);
    await sleep(500);
    const times = { pixels: [], painted: [] };
    for (let i = 0; i < Number(values.presses); i++) {
      await sleep(PAUSE);
      const handle = await page.evaluateHandle(
        (r) => window.watch(...r), rect);
      await page.keyboard.press("a");
      const change = await handle.evaluate((watch) => Promise.race([
        watch.changed, new Promise((r) => { setTimeout(r, 5000, null); })]));
      if (!change) throw new Error(`press ${i} changed nothing`);
      const at = await page.evaluate(() => window.portholeKeys.at(-1).at);
      times.pixels.push(change.noticed - at);
      times.painted.push(change.painted - at);
    }
    if (desk && values.content !== "cell") {
      times.fps = await moving(desk,
        () => page.evaluate(() => window.portholeShown));
    }
    result[defer ? "stock" : "undeferred"] = times;
    await browser.close();
  }
  served.close();
  return result;
}

async function porthole(desk) {
  const result = {};
  for (const defer of [true, false]) {
    const browser = await launch({ viewport: VIEWPORT, defer });
    const viewer = await browser.open(desk.run.link);
    show(desk);
    await viewer.click(100, 100);
    const [x, y, width, height] = RECT;
    const times = { pixels: [], painted: [] };
    for (let i = 0; i < Number(values.presses); i++) {
      await sleep(PAUSE);
      const t = await viewer.keyTo("a", { x, y, width, height });
      times.pixels.push(t.noticed);
      times.painted.push(t.painted);
    }
    if (values.content !== "cell") {
      times.fps = await moving(desk,
        async () => (await viewer.statistics()).frames);
    }
    result[defer ? "stock" : "undeferred"] = times;
    await browser.close();
  }
  return result;
}

async function start(command, args, env, port) {
  const child = spawn(command, args, { env, stdio: "ignore" });
  await until(() => reachable(port), command);
  return child;
}

async function wayvnc(desk) {
  const [service] = desk.run.family().filter((p) => p.name === "wl_patch");
  const environment = Object.fromEntries(
    (await readFile(`/proc/${service.pid}/environ`, "utf8")).split("\0")
      .filter((e) => e.includes("=")).map((e) => [
        e.slice(0, e.indexOf("=")), e.slice(e.indexOf("=") + 1)]));
  const port = await freePort();
  const child = await start("wayvnc", ["127.0.0.1", String(port)],
    { ...process.env, ...environment }, port);
  try {
    return await vncPresses(port, RECT, [100, 100], desk);
  } finally {
    child.kill();
  }
}

async function tigervnc(place) {
  const port = await freePort();
  const display = `:${60 + port % 1000}`;
  const x = await start("Xtigervnc", [display, "-geometry", "1920x1080",
    "-depth", "24", "-rfbport", String(port), "-SecurityTypes", "None",
    "-localhost", "-nolisten", "tcp"], place.env(), port);
  const term = spawn("xterm", ["-fullscreen", "-geometry", "300x80", "-e",
    "sh", "-c", "stty -icanon; exec cat >/dev/null"],
  { env: place.env({ DISPLAY: display }), stdio: "ignore" });
  try {
    await sleep(1500);
    return await vncPresses(port, [0, 0, 1800, 40], [500, 300]);
  } finally {
    term.kill();
    x.kill();
  }
}

/** What runs the presses, and the desktop that it needs. */
const stacks = {
  "porthole": { press: porthole, desktop: "sway" },
  "porthole, Mutter": { press: porthole, desktop: "mutter" },
  "porthole, GNOME": { press: porthole, desktop: "gnome" },
  "porthole, Xvfb": { press: porthole, desktop: "xvfb" },
  "wayvnc + noVNC": { press: wayvnc, desktop: "sway" },
  "TigerVNC + noVNC": { press: tigervnc },
};
const wanted = values.stack.length ? values.stack : Object.keys(stacks);
const total = {};
for (let round = 0; round < Number(values.rounds); round++) {
  for (const name of wanted) {
    const { press, desktop } = stacks[name];
    const place = new Place();
    const desk = desktop
      ? await new Desk(place, ["--desktop", desktop],
        ...DESKTOPS[desktop].patch).ready() : null;
    const got = await press(desk ?? place);
    await desk?.stop();
    place.remove();
    total[name] ??= {};
    for (const [kind, times] of Object.entries(got)) {
      const all = total[name][kind] ??= { pixels: [], painted: [] };
      all.pixels.push(...times.pixels);
      all.painted.push(...times.painted);
      if (times.fps) (all.fps ??= []).push(times.fps);
    }
  }
}
for (const [name, kinds] of Object.entries(total)) {
  for (const [kind, times] of Object.entries(kinds)) {
    console.log(JSON.stringify({ stack: name, content: values.content,
      chromium: kind, presses: times.pixels.length,
      pixels: [0.5, 0.95].map((p) => percentile(times.pixels, p)),
      painted: [0.5, 0.95].map((p) => percentile(times.painted, p)),
      fps: times.fps }));
  }
}
