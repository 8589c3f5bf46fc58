// SPDX-License-Identifier: LGPL-2.1-or-later
// A screen that stands still, 1920x1080, watched at 30 and at 60 frames a
// second: what the viewer gets, and what it costs, pictures that are repeated
// beside a pointer that steps aside and back (on Mutter).
//   node tests/bench/still.mjs [--seconds N] [DESKTOP...]
// DESKTOP: sway mutter gnome xvfb. Needs PORTHOLE_BUILD (default build).
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: "string", default: "30" } },
});
const build = path.resolve(process.env.PORTHOLE_BUILD ?? "build");
process.env.PORTHOLE_BIN ??= path.join(build, "src/cli/porthole");
const { DESKTOPS } = await import("../integration/desktops.mjs");
const { Place, Run, measure, ticks } =
  await import("../integration/porthole.mjs");

/** Hundredths of a second of CPU of each process so far. */
function spent(run, watched) {
  return watched.map((name) => ticks(run.find(name)));
}

async function watch(desktop, keepalive) {
  const watched =
    [DESKTOPS[desktop].compositor, "porthole-hostd", "porthole-deskd"];
  const place = new Place();
  const args = keepalive === "none" ? [] : ["--keepalive", keepalive];
  const run = await new Run(place, ["--desktop", desktop, ...args]).ready();
  try {
    await measure(place, ["--duration", "5"]); // what begins, is over
    for (const fps of ["30", "60"]) {
      const before = spent(run, watched);
      const seen = await measure(place,
        ["--duration", values.seconds, "--fps", fps]);
      const cores = Object.fromEntries(spent(run, watched).map(
        (now, i) => [watched[i],
          +((now - before[i]) / 100 / Number(values.seconds)).toFixed(3)]));
      console.log(JSON.stringify({
        desktop, keepalive, asked: Number(fps), frames: seen.frames,
        fps: seen.fps, gapMs: seen.gap_ms, bitrate: seen.bitrate_bps, cores,
      }));
    }
  } finally {
    await run.stop();
    place.remove();
  }
}

for (const desktop of positionals.length ? positionals : ["gnome", "sway"]) {
  await watch(desktop, "none");
  if (DESKTOPS[desktop].steps) await watch(desktop, "pointer");
}
