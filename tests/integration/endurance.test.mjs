// SPDX-License-Identifier: LGPL-2.1-or-later
// A minute of what `porthole bench frames --soak 60` does for an hour: every
// content in turn, the connection cut in the middle of messages. Guest and host
// must hold the same picture, bit by bit; the guest may not grow, and the host
// holds no more than it should for one of them.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import { after, test } from "node:test";
import { promisify } from "node:util";

const { HOSTD, PORTHOLE_BENCH } = process.env;
const MOST_KB = 256 << 10;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "porthole-endurance-"));
const endpoint = `unix:${path.join(folder, "host")}`;
const host = spawn(HOSTD, ["--listen", endpoint],
  { stdio: ["ignore", "pipe", "ignore"] });
const guest = new AbortController();

after(() => {
  guest.abort();
  host.kill("SIGKILL");
  fs.rmSync(folder, { recursive: true });
});

/** Resident memory of the host, in kB. */
function resident() {
  const status = fs.readFileSync(`/proc/${host.pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)[1]);
}

test("guest and host agree for a minute of cuts", async () => {
  await readline.createInterface({ input: host.stdout })[
    Symbol.asyncIterator]().next();
  const { stdout } = await promisify(execFile)(PORTHOLE_BENCH,
    ["frames", "--endpoint", endpoint, "--no-sharing", "--soak", "1",
      "--size", "1280x720"], { signal: guest.signal });
  console.log(stdout.trim());
  const figures = Object.fromEntries([...stdout.matchAll(/(\d+) ([a-z]+)/g)]
    .map(([, number, name]) => [name, Number(number)]));
  assert.ok(figures.phases >= 5, "every content had its turn");
  assert.ok(figures.frames > 0);
  assert.ok(figures.cuts > 0);
  assert.ok(figures.pictures > 0, "pictures were compared");
  assert.equal(figures.differed, 0);
  assert.ok(resident() < MOST_KB, `the host holds ${resident()} kB`);
});
