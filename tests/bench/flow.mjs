// SPDX-License-Identifier: LGPL-2.1-or-later
// Moving content at 1920x1080: what a capture alone gets of it, and what a
// viewer gets, in turns on the same desktop (A B A B).
//   node tests/bench/flow.mjs [--seconds N] [--rounds N] [CONTENT...]
// CONTENT: scroll flood pattern. Needs PORTHOLE_BUILD (default build).
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "20" },
    rounds: { type: "string", default: "2" },
  },
});
const seconds = Number(values.seconds);
const contents = positionals.length ? positionals
  : ["scroll", "flood", "pattern"];
const build = path.resolve(process.env.PORTHOLE_BUILD ?? "build");
process.env.PORTHOLE_BIN ??= path.join(build, "src/cli/porthole");
process.env.PORTHOLE_WL_PATCH ??=
  path.join(build, "tests/integration/wl_patch");
const { Place, Run, measure } = await import("../integration/porthole.mjs");
const { Desk } = await import("../integration/desk.mjs");
const here = path.dirname(new URL(import.meta.url).pathname);

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
    ["--", "foot", path.join(here, "scroll.sh"), content]).ready();
  return { run, stop: () => run.stop() };
}

/** Seconds of CPU that a process used so far. */
function cpu(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function captureOnly(dir, socket) {
  return new Promise((resolve, reject) => {
    const child = spawn(path.join(build, "tests/bench/bench_capture"),
      [String(seconds)], { stdio: ["ignore", "pipe", "inherit"], env: {
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
    name: at > 0 ? args[at + 1] : named("WAYLAND_DISPLAY"),
  };
}

for (const content of contents) {
  const place = new Place();
  const desk = await show(content, place);
  const { run } = desk;
  const { dir, name } = display(run);
  const names = ["sway", "foot", "porthole-hostd", "porthole-deskd"];
  try {
    for (let round = 1; round <= Number(values.rounds); round++) {
      const alone = await captureOnly(dir, name);
      const pids = names.map((n) => run.find(n));
      const old = pids.map((pid) => pid ? cpu(pid) : 0);
      const seen = await measure(place, ["--duration", String(seconds)]);
      const used = Object.fromEntries(names.map((n, i) =>
        [n, pids[i] ? +((cpu(pids[i]) - old[i]) / seconds).toFixed(3) : 0]));
      console.log(JSON.stringify({
        content, round,
        captureFps: alone.fps, captureGapMax: alone.gap_ms.max,
        fps: seen.fps, ratio: +(seen.fps / alone.fps).toFixed(3),
        gapMs: seen.gap_ms, bitrate: seen.bitrate_bps,
        latencyMs: seen.latency_ms, cores: used,
      }));
    }
  } finally {
    await desk.stop();
    place.remove();
  }
}
