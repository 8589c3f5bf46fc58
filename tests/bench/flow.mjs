// SPDX-License-Identifier: LGPL-2.1-or-later
// What a viewer gets of moving content, beside a capture alone (A B A B).
//   node tests/bench/flow.mjs [--seconds N] [--rounds N]
//     [--desktop sway|mutter|gnome|xvfb] [CONTENT...]
// CONTENT: scroll flood pattern gears (OpenGL: Debian's mesa-utils). Needs
// PORTHOLE_BUILD (default build).
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "20" },
    rounds: { type: "string", default: "2" },
    desktop: { type: "string", default: "sway" },
  },
});
const contents = positionals.length ? positionals
  : ["scroll", "flood", "pattern"];
const build = path.resolve(process.env.PORTHOLE_BUILD ?? "build");
process.env.PORTHOLE_BIN ??= path.join(build, "src/cli/porthole");
process.env.PORTHOLE_WL_PATCH ??=
  path.join(build, "tests/integration/wl_patch");
process.env.PORTHOLE_X_PATCH ??=
  path.join(build, "tests/integration/x_patch");
process.env.PORTHOLE_BENCH_CAPTURE ??=
  path.join(build, "tests/integration/bench_capture");
const { compare } = await import("./content.mjs");

for (const content of contents) {
  const turns = compare(content, Number(values.seconds),
    Number(values.rounds), values.desktop);
  for await (const { round, alone, seen, cores } of turns) {
    console.log(JSON.stringify({
      content, round,
      captureFps: alone.fps, captureGapMax: alone.gap_ms.max,
      fps: seen.fps, ratio: +(seen.fps / alone.fps).toFixed(3),
      gapMs: seen.gap_ms, bitrate: seen.bitrate_bps,
      latencyMs: seen.latency_ms, cores,
    }));
  }
}
