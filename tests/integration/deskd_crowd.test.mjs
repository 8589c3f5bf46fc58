// SPDX-License-Identifier: LGPL-2.1-or-later
// Many viewers of one porthole-deskd, some of them slow: memory stays flat,
// the others get what they got, and a crowd that joins causes few keyframes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Deskd, TOKEN } from "./deskd.mjs";
import { Viewer } from "./viewer.mjs";

function pause(ms) {
  return new Promise((resolve) => { setTimeout(resolve, ms); });
}

/** Reads at so many bytes a second. */
function throttle(viewer, rate) {
  const { socket } = viewer;
  let allowed = 0;
  socket.pause();
  const timer = setInterval(() => {
    allowed = Math.min(allowed + rate / 20, rate);
    if (allowed > 0) socket.resume();
  }, 50);
  socket.prependListener("data", (chunk) => {
    allowed -= chunk.length;
    if (allowed <= 0) socket.pause();
  });
  socket.on("close", () => clearInterval(timer));
}

test("50 viewers, one that never reads, one at 1 Mbit/s",
  { timeout: 180000 }, async (t) => {
    const deskd = await Deskd.start(["--fps", "30"],
      { FAKE_SOURCE_KEY: "150000", FAKE_SOURCE_DELTA: "8000" });
    t.after(() => deskd.kill());
    const good = [];
    for (let i = 0; i < 48; i++) {
      good.push(await new Viewer(deskd.port).join(TOKEN));
    }
    await Promise.all(good.map((v) => v.until(() => v.frames > 0)));

    /** How many bytes a frame of the source costs one of them. */
    const measure = async (seconds) => {
      const start = (await deskd.stats()).units;
      const before = good.map((v) => v.bytes);
      await pause(seconds * 1000);
      const { units } = await deskd.stats();
      const bytes = good.reduce((sum, v, i) => sum + v.bytes - before[i], 0);
      return bytes / good.length / (units - start);
    };
    const alone = await measure(5);
    const stuck = await new Viewer(deskd.port).join(TOKEN);
    stuck.socket.pause();
    const slow = await new Viewer(deskd.port).join(TOKEN);
    throttle(slow, 125000);
    await pause(3000);
    const memory = await deskd.memory();
    const before = (await deskd.work()).ms;
    const together = await measure(15);
    const growth = await deskd.memory() - memory;
    const cpu = ((await deskd.work()).ms - before) / 15;
    const stats = await deskd.stats();
    t.diagnostic(`bytes a frame: ${alone | 0} alone, ${together | 0} with ` +
      `the slow ones; memory ${memory >> 10} kB + ${growth >> 10} kB; ` +
      `dropped ${stats.dropped}, slow viewer got ${slow.frames} frames; ` +
      `${cpu | 0} ms of CPU a second`);

    assert.equal(stats.viewers, 50); // nobody was thrown out
    assert.ok(together < alone * 1.2);
    assert.ok(growth < 4 << 20, `${growth} bytes more`);
    assert.ok(stats.dropped > 0);
    assert.ok(slow.keyframes > 1, "the slow one goes on from a keyframe");
    for (const v of good) {
      assert.equal(v.closed, false);
      assert.ok(v.frames > slow.frames);
    }
    [...good, stuck, slow].forEach((v) => v.drop());
    assert.deepEqual(await deskd.stop(), [0, null]);
  });

test("200 who join within 10 s cause few keyframes",
  { timeout: 120000 }, async (t) => {
    const deskd = await Deskd.start(["--fps", "30"]);
    t.after(() => deskd.kill());
    const started = performance.now();
    const viewers = [];
    const joined = [];
    for (let i = 0; i < 200; i++) {
      const due = started + i * 50;
      await pause(Math.max(0, due - performance.now()));
      joined.push(performance.now());
      const viewer = new Viewer(deskd.port);
      viewers.push(viewer);
      viewer.join(TOKEN).catch(() => {});
    }
    await Promise.all(viewers.map((v) => v.until(() => v.frames || v.closed)));
    const seconds = (performance.now() - started) / 1000;
    const { keyframes_forced: forced, keyframes } = await deskd.stats();
    const waits = viewers.map((v, i) => v.firstFrame - joined[i])
      .sort((a, b) => a - b);
    t.diagnostic(`${keyframes} keyframes in ${seconds.toFixed(1)} s; to the ` +
      `first picture p50 ${waits[100] | 0} ms, p95 ${waits[190] | 0} ms, ` +
      `max ${waits[199] | 0} ms`);

    assert.ok(viewers.every((v) => v.keyframes > 0));
    /* One each 525 ms, and 20 in the 10 s of a machine that keeps up. */
    assert.ok(forced <= Math.ceil(seconds / 0.525) + 1);
    assert.equal(keyframes, forced);
    assert.ok(waits[190] < 2000, "700 ms, but for a slow machine");
    viewers.forEach((v) => v.drop());
    await deskd.statsWhen((s) => s.viewers === 0 && !s.active);
    assert.deepEqual(await deskd.stop(), [0, null]);
  });

test("a still screen costs next to nothing", { timeout: 60000 }, async (t) => {
  const deskd = await Deskd.start([], { FAKE_SOURCE_STATIC: "1" });
  t.after(() => deskd.kill());
  const viewer = await new Viewer(deskd.port).join(TOKEN);
  await viewer.until(() => viewer.frames === 1);
  const before = await deskd.work();
  const count = () => viewer.messages.filter((m) => m[0] === 4).length;
  const beats = count();
  await viewer.until(() => count() >= beats + 10);
  const { ms, wakes } = await deskd.work();
  t.diagnostic(`10 s: ${(ms - before.ms).toFixed(1)} ms of CPU, ` +
    `${wakes - before.wakes} wake-ups`);
  assert.ok(wakes - before.wakes <= 15);
  assert.equal(viewer.frames, 1);
  viewer.drop();
  assert.deepEqual(await deskd.stop(), [0, null]);
});
