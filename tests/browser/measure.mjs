// SPDX-License-Identifier: LGPL-2.1-or-later
// Worker or page, stock Chromium or without its deferral after a key: how
// long from the server's send to the screen, and from the key, against the
// fake server, which takes DELAY ms for a key (a desktop takes 5 to 10). The
// page animates meanwhile where it says "animated", as one that measures in
// requestAnimationFrame does: then Chromium's main thread has a next frame to
// hold things back for.
// node tests/browser/measure.mjs [KEYS [WIDTHxHEIGHT [DELAY]]]
import { setTimeout as wait } from "node:timers/promises";
import { cell, makeClip } from "./clip.mjs";
import { FakeServer } from "./fake-server.mjs";
import { launch } from "./harness.mjs";

const keys = Number(process.argv[2] ?? 100);
const [width, height] =
  (process.argv[3] ?? "1920x1080").split("x").map(Number);
const delay = Number(process.argv[4] ?? 6);
const CASES = [
  ["", false], ["?thread=main", false],
  ["", true], ["?thread=main", true],
  ["?paint=canvas", false], ["?thread=main&paint=canvas", false],
];

/**
 * @param {number[]} values
 * @param {number} part
 */
function percentile(values, part) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * part)].toFixed(1);
}

const clip = await makeClip(width, height, keys + 20);
console.log(`${keys} keys, ${width}x${height}; ms p50 / p95`);
console.log("chromium  page                        sent→decoded  " +
  "sent→presented  sent→painted   key→decoded    key→painted");
for (const defer of [true, false]) {
  const browser = await launch({ viewport: { width, height }, defer });
  for (const [query, animated] of CASES) {
    const server = await new FakeServer(clip).listen();
    server.delay = delay;
    const viewer = await browser.open(
      server.url.replace("/#", `/${query}#`));
    if (animated) {
      await viewer.page.evaluate(() => {
        requestAnimationFrame(function again() {
          requestAnimationFrame(again);
        });
      });
    }
    await wait(4500); // the toolbar has gone
    const times = [];
    for (let n = 0; n < keys; n++) {
      const { sent, ...t } =
        await viewer.keyTo("a", cell(server.frame, width));
      times.push({ sent, ...t });
      await wait(40 + Math.random() * 33);
    }
    const of = (get) => {
      const values = times.slice(10).map(get);
      return `${percentile(values, 0.5)} / ${percentile(values, 0.95)}`
        .padEnd(14);
    };
    console.log((defer ? "stock" : "no defer").padEnd(9),
      `${query || "(worker, track)"}${animated ? " animated" : ""}`
        .padEnd(27),
      of((t) => t.decoded - t.sent), of((t) => t.presented - t.sent),
      of((t) => t.painted - t.sent), of((t) => t.decoded),
      of((t) => t.painted));
    await viewer.page.close();
    await server.close();
  }
  await browser.close();
}
