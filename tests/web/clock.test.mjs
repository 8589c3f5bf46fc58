// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { Clock } from "../../web/clock.js";

test("knows nothing before the first exchange", () => {
  assert.equal(new Clock().best(0), null);
});

test("an exchange gives the offset within half its round trip", () => {
  const clock = new Clock();
  // Ours runs 1 s behind; 300 µs there, 100 µs back.
  clock.add(5_000_000, 6_000_300, 5_000_400);
  const best = clock.best(5_000_400);
  assert.ok(best);
  assert.equal(best.rtt, 400);
  assert.equal(best.error, 200);
  assert.ok(Math.abs(best.offset - 1_000_000) <= best.error);
});

test("the shortest round trip wins, until it is too old", () => {
  const clock = new Clock();
  clock.add(0, 1000, 200);
  clock.add(1_000_000, 1_009_000, 1_020_000);
  assert.equal(clock.best(1_020_000)?.rtt, 200);
  // After 200 s at 100 ppm the first may be 20 ms off, the new one 10 ms.
  clock.add(200_000_000, 200_009_000, 200_020_000);
  assert.equal(clock.best(200_020_000)?.rtt, 20_000);
});

test("the error grows with time, the oldest is forgotten", () => {
  const clock = new Clock();
  clock.add(0, 0, 100);
  assert.ok((clock.best(10_000_100)?.error ?? 0) >= 1000);
  for (let i = 1; i <= 40; i++) clock.add(i * 1000, i * 1000, i * 1000 + 500);
  assert.equal(clock.best(41_000)?.rtt, 500);
  clock.reset();
  assert.equal(clock.best(41_000), null);
});
