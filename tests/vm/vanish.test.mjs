// SPDX-License-Identifier: LGPL-2.1-or-later
// A machine that stops in the middle of a message, behind user-mode networking
// which goes on acknowledging for it: the host gives it up, and others never
// notice.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Host, Machine, runHere, within } from "./machine.mjs";

let host;
let vm;

before(async () => {
  host = await Host.start(["--listen", "tcp:127.0.0.1:0"]);
  vm = await Machine.boot();
});

after(async () => {
  await vm?.kill();
  Host.killAll();
});

async function other() {
  const done = await runHere(
    [`tcp:127.0.0.1:${host.port}`, "--frames", "300"]);
  assert.equal(done.code, 0, done.text);
  assert.match(done.text, /bad 0, lost 0, ready 1/);
}

// FRAME_REQUEST of a whole 1080p picture in NV12, without its pixels: what a
// shell prints to say it.
function request() {
  const message = Buffer.alloc(12 + 44);
  message.write("HXFR");
  message.writeUInt32LE(0x00010101, 4); // type, with pixels, session
  message.writeUInt32LE(44 + 1920 * 1080 * 1.5, 8);
  [0, 1920, 1080, 0x3231564E, 1920].forEach(
    (value, i) => message.writeUInt32LE(value, 12 + i * 4));
  return `'${Array.from(message,
    (byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("")}'`;
}

test("a guest that is frozen in the middle of a frame", async () => {
  const up = "dd if=/dev/zero bs=1000 count=100 2>/dev/null";
  await vm.run(`(printf ${request()}; ${up}; sleep 1000) |
    nc 10.0.2.2 ${host.port} & sleep 1`.replaceAll(/\s+/g, " "));
  await within(host.log.next(/guest 1: connected/), "the guest");
  vm.child.kill("SIGSTOP");
  const frozen = Date.now();
  await other();
  await within(host.log.next(/guest 1.*broke off/), "the host to give it up");
  await within(host.log.next(/guest 1: gone/), "its end");
  assert.ok(Date.now() - frozen > 5000, "too impatient");
  await other();
  vm.child.kill("SIGCONT"); // it comes back as if nothing had been
  const again = await vm.run(`vm-guest tcp:10.0.2.2:${host.port}`);
  assert.match(again.text, /bad 0, lost 0, ready 1/);
});

test("a machine that dies", async () => {
  const from = host.log.all.length;
  vm.run(`vm-guest tcp:10.0.2.2:${host.port} -n 1000000`).catch(() => {});
  await within(host.log.next(/ is vm-guest/, from), "the guest");
  await vm.kill();
  await within(host.log.next(/ vm-guest: gone/, from), "its end");
  await other();
});
