// SPDX-License-Identifier: LGPL-2.1-or-later
// Moving content on a desktop at 1920x1080: what a capture alone gets of it,
// and what a viewer gets, in turns on the same desktop.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { Desk } from "../integration/desk.mjs";
import { Place, Run, measure, ticks } from "../integration/porthole.mjs";

const SCROLL = new URL("scroll.sh", import.meta.url).pathname;
const CAPTURE = process.env.PORTHOLE_BENCH_CAPTURE ?? "";
const PROCESSES = ["sway", "foot", "porthole-hostd", "porthole-deskd"];

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
async function show(content, place) {
  if (content === "pattern") return new Pattern(place).ready();
  const run = await new Run(place,
    ["--", "foot", SCROLL, content]).ready();
  return { run, stop: () => run.stop() };
}

/** Seconds of CPU that a process used so far. */
function cpu(pid) {
  return ticks(pid) / 100;
}

function captureOnly({ dir, socket }, seconds) {
  return new Promise((resolve, reject) => {
    const child = spawn(CAPTURE, [String(seconds)], { stdio: ["ignore", "pipe", "inherit"], env: {
        ...process.env, XDG_RUNTIME_DIR: dir, WAYLAND_DISPLAY: socket } });
    let out = "";
    child.stdout.on("data", (data) => { out += data; });
    child.on("close", (code) => code === 0 ? resolve(JSON.parse(out))
      : reject(new Error(`bench_capture: ${code}`)));
  });
}

/** The Wayland socket of the desktop: deskd's environment or arguments. */
function display(run) {
  const args = readFileSync(`/proc/${run.find("porthole-deskd")}/cmdline`,
    "utf8").split("\0");
  const env = readFileSync(`/proc/${run.find("porthole-deskd")}/environ`,
    "utf8").split("\0");
  const at = args.indexOf("--display");
  const named = (name) => env.find((e) => e.startsWith(`${name}=`))
    ?.slice(name.length + 1);
  return {
    dir: named("XDG_RUNTIME_DIR"),
    socket: at > 0 ? args[at + 1] : named("WAYLAND_DISPLAY"),
  };
}

/**
 * @param {string} content scroll, flood or pattern
 * @param {number} seconds of each turn
 * @param {number} rounds
 */
export async function* compare(content, seconds, rounds) {
  const place = new Place();
  const desk = await show(content, place);
  const { run } = desk;
  try {
    for (let round = 1; round <= rounds; round++) {
      const alone = await captureOnly(display(run), seconds);
      const pids = PROCESSES.map((name) => run.find(name));
      const old = pids.map((pid) => pid ? cpu(pid) : 0);
      const seen = await measure(place, ["--duration", String(seconds)]);
      const cores = Object.fromEntries(PROCESSES.map((name, i) => [name,
        pids[i] ? +((cpu(pids[i]) - old[i]) / seconds).toFixed(3) : 0]));
      yield { round, alone, seen, cores };
    }
  } finally {
    await desk.stop();
    place.remove();
  }
}
