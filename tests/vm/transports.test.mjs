// SPDX-License-Identifier: LGPL-2.1-or-later
// Frames out of a virtual machine, over every way that leads to the host. What
// comes back says what the host saw: one wrong pixel and the test fails.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Host, Machine, Place } from "./machine.mjs";

let place;
let host;
let vm;

before(async () => {
  place = new Place();
  host = await Host.start(["--listen", "tcp:127.0.0.1:0"]);
  vm = await Machine.boot();
});

after(async () => {
  await vm?.kill();
  await host?.stop();
  place?.remove();
});

// Runs vm-guest and checks what it says.
async function frames(args, { code = 0 } = {}) {
  const done = await vm.run(`vm-guest ${args}`);
  assert.equal(done.code, code, done.text);
  const found = done.text.match(
    /^frames (\d+), bad (\d+), lost (\d+), ready (\d+), shared (\d), ([\d.]+) fps$/m);
  assert.ok(found, done.text);
  const [count, bad, lost, ready, shared, fps] = found.slice(1).map(Number);
  return { count, bad, lost, ready, shared, fps, text: done.text };
}

test("TCP through user-mode networking", async () => {
  const got = await frames(`tcp:10.0.2.2:${host.port} -n 200`);
  assert.equal(got.bad, 0);
  assert.equal(got.lost, 0);
  assert.equal(got.shared, 0);
});

test("an orderly end", async () => {
  assert.equal(await vm.stop(), 0);
});
