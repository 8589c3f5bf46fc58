// SPDX-License-Identifier: LGPL-2.1-or-later
// A static screen costs nothing: a viewer looks at it for a minute, and
// neither deskd nor hostd uses more than two clock ticks.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Desk } from "./desk.mjs";
import { Place, Program, ticks, until } from "./porthole.mjs";

const SECONDS = 60;

test("a minute of nothing", async () => {
  const place = new Place();
  const desk = await new Desk(place).ready();
  const viewer = new Program(
    ["stream", "--duration", String(SECONDS + 30), "--json"],
    { env: place.env() });
  try {
    desk.draw("rect 0 0 1920 1080 406080");
    const pids = ["porthole-deskd", "porthole-hostd"].map(
      (name) => [name, desk.run.find(name)]);
    // The first pictures are over when a second used nothing.
    let before = [];
    await until(async () => {
      const old = pids.map(([, pid]) => ticks(pid));
      await new Promise((resolve) => { setTimeout(resolve, 1000); });
      before = pids.map(([, pid]) => ticks(pid));
      return old.some((t) => t > 0) && before.every((t, i) => t === old[i]);
    }, "a quiet second");
    await new Promise((resolve) => { setTimeout(resolve, SECONDS * 1000); });
    pids.forEach(([name, pid], i) => {
      const used = ticks(pid) - before[i];
      console.log(`${name}: ${used} ticks in ${SECONDS} s`);
      assert.ok(used <= 2, `${name} used ${used} ticks`);
    });
    assert.equal(viewer.ended, null, `the viewer went:\n${viewer.text}`);
  } finally {
    viewer.kill("SIGINT");
    await viewer.end;
    await desk.stop();
    place.remove();
  }
});
