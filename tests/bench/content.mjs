// SPDX-License-Identifier: LGPL-2.1-or-later
// Moving content on a desktop at 1920x1080: what a capture alone gets of it,
// and what a viewer gets, in turns on the same desktop.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { Desk } from "../integration/desk.mjs";
import { DESKTOPS } from "../integration/desktops.mjs";
import { Place, Run, measure, ticks } from "../integration/porthole.mjs";

const SCROLL = new URL("scroll.sh", import.meta.url).pathname;
/** As much of a program's name as the kernel keeps, in bytes. */
const COMM = 15;
const CAPTURE = process.env.PORTHOLE_BENCH_CAPTURE ?? "";
const GEARS = ["es2gears_wayland"];
/** How each desktop is captured, its terminal, and a window of OpenGL. */
const CONTENT = {
  sway: { capture: "wlr", terminal: ["foot"], gears: GEARS },
  mutter: {
    capture: "mutter", terminal: ["foot", "--maximized"], gears: GEARS,
  },
  gnome: {
    capture: "mutter", terminal: ["foot", "--maximized"], gears: GEARS,
  },
  xvfb: {
    capture: "x11",
    terminal: ["xterm", "-maximized", "-fa", "monospace", "-fs", "10", "-e"],
    gears: ["glxgears", "-geometry", "300x300"],
  },
};

/** A bar that crosses the screen, drawn anew 60 times a second. */
class Pattern extends Desk {
  async ready() {
    await super.ready();
    let x = 0;
    this.timer = setInterval(() => {
      const old = x;
      x = (x + 16) % 1760;
      this.draw(`rect ${old} 0 160 1080 203040`,
        `rect ${x} 0 160 1080 ${(0x404040 + x * 997).toString(16)}`);
    }, 1000 / 60);
    return this;
  }

  stop() {
    clearInterval(this.timer);
    return super.stop();
  }
}

/** A desktop with this content in it. */
async function show(content, place, desktop) {
  const args = ["--desktop", desktop];
  if (content === "pattern") {
    return new Pattern(place, args, ...DESKTOPS[desktop].patch).ready();
  }
  const { terminal, gears } = CONTENT[desktop];
  const program = content === "gears" ? gears : [...terminal, SCROLL, content];
  const run = await new Run(place, [...args, "--", ...program]).ready();
  return { run, stop: () => run.stop() };
}

/** Seconds of CPU that a process used so far. */
function cpu(pid) {
  return ticks(pid) / 100;
}

function captureOnly(env, seconds, desktop) {
  return new Promise((resolve, reject) => {
    const child = spawn(CAPTURE,
      [String(seconds), CONTENT[desktop].capture],
      { stdio: ["ignore", "pipe", "inherit"], env });
    let out = "";
    child.stdout.on("data", (data) => { out += data; });
    child.on("close", (code) => code === 0 ? resolve(JSON.parse(out))
      : reject(new Error(`bench_capture: ${code}`)));
  });
}

/** The environment of the desktop's clients: deskd's, and its arguments. */
function display(run) {
  const args = readFileSync(`/proc/${run.find("porthole-deskd")}/cmdline`,
    "utf8").split("\0");
  const env = Object.fromEntries(
    readFileSync(`/proc/${run.find("porthole-deskd")}/environ`, "utf8")
      .split("\0").filter((e) => e.includes("="))
      .map((e) => [e.slice(0, e.indexOf("=")), e.slice(e.indexOf("=") + 1)]));
  const at = args.indexOf("--display");
  const name = args[at + 1];
  return at > 0 ? { ...env, WAYLAND_DISPLAY: name, DISPLAY: name } : env;
}

/**
 * @param {string} content scroll, flood, pattern or gears
 * @param {number} seconds of each turn
 * @param {number} rounds
 * @param {"sway" | "mutter" | "gnome" | "xvfb"} desktop
 */
export async function* compare(content, seconds, rounds, desktop = "sway") {
  const { terminal, gears } = CONTENT[desktop];
  const program = content === "gears" ? gears[0].slice(0, COMM) : terminal[0];
  const watched = [DESKTOPS[desktop].compositor, program, "porthole-hostd",
    "porthole-deskd"];
  const place = new Place();
  const desk = await show(content, place, desktop);
  const { run } = desk;
  try {
    for (let round = 1; round <= rounds; round++) {
      const alone = await captureOnly(display(run), seconds,
        desktop);
      const pids = watched.map((name) => run.find(name));
      const old = pids.map((pid) => pid ? cpu(pid) : 0);
      const seen = await measure(place, ["--duration", String(seconds)]);
      const cores = Object.fromEntries(watched.map((name, i) => [name,
        pids[i] ? +((cpu(pids[i]) - old[i]) / seconds).toFixed(3) : 0]));
      yield { round, alone, seen, cores };
    }
  } finally {
    await desk.stop();
    place.remove();
  }
}
