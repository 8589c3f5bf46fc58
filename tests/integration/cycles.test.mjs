// SPDX-License-Identifier: LGPL-2.1-or-later
// Started and stopped again and again, and a compositor that dies again and
// again: no process stays, no file, no descriptor. PORTHOLE_SOAK: 50 times.
import assert from "node:assert/strict";
import {
  chmodSync, mkdirSync, readFileSync, readdirSync,
} from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { RUN, desktop, name } from "./desktops.mjs";
import { Place, Run, alive, measure, until } from "./porthole.mjs";

const SOAK = Boolean(process.env.PORTHOLE_SOAK);
const CYCLES = SOAK ? 50 : 4;
const MOST_KIB = 8 << 10; // an allocator that settles, no leak per cycle

/** What its processes see as /tmp, /dev/shm and /mnt is the place's own. The
 * programs may lie below /tmp: they are run from another place, too. */
const WRAP = ["unshare", ...process.getuid() === 0 ? [] : ["-r"], "-m", "sh",
  "-ec", 'program=$1; shift; programs=${program%/*/*}; ' +
  'mount --bind "$0" /mnt; mount --bind "$programs" /mnt/programs; ' +
  'mount --bind /mnt/tmp /tmp; mount --bind /mnt/shm /dev/shm; ' +
  'exec "/mnt/programs${program#"$programs"}" "$@"'];

const place = new Place();
for (const dir of ["tmp", "shm", "home", "run", "programs"]) {
  mkdirSync(path.join(place.dir, dir));
}
for (const dir of ["tmp", "shm"]) chmodSync(path.join(place.dir, dir), 0o1777);
after(() => place.remove());

function start() {
  return new Run(place, RUN, { HOME: "/mnt/home", XDG_RUNTIME_DIR: "/mnt/run" },
    [...WRAP, place.dir]);
}

/** What is left where nothing should be: not in HOME, where programs have
 * settings and caches. */
function files() {
  return ["tmp", "shm", "run"].flatMap((dir) =>
    readdirSync(path.join(place.dir, dir), { recursive: true })
      .map((file) => `${dir}/${file}`));
}

/** The processes that have the place in their environment. */
function strangers() {
  return readdirSync("/proc").filter((n) => /^\d+$/.test(n)).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "latin1")
        .includes("XDG_RUNTIME_DIR=/mnt/run") &&
        readFileSync(`/proc/${pid}/mountinfo`, "latin1")
          .includes(path.basename(place.dir));
    } catch {
      return false; // it ended meanwhile
    }
  }).map((pid) => `${pid} ${readFileSync(`/proc/${pid}/comm`, "utf8").trim()}`);
}

test(`${CYCLES} times started and stopped`, async () => {
  for (let i = 0; i < CYCLES; i++) {
    const run = await start().ready();
    assert.notDeepEqual(files(), [], "it writes elsewhere");
    const begun = Date.now();
    await run.leaveNothing();
    const took = Date.now() - begun;
    assert.deepEqual(files().filter((f) => !f.startsWith("tmp/.X11-unix")), []);
    assert.deepEqual(strangers(), []);
    if (SOAK) console.log(`cycle ${i + 1}: ended in ${took} ms`);
  }
});

/** Open files, and KiB of its own memory. */
function holds(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return {
    fds: readdirSync(`/proc/${pid}/fd`).length,
    kib: Number(/RssAnon:\s+(\d+)/.exec(status)[1]),
  };
}

test(`${CYCLES} times the compositor dies`, async () => {
  const run = await start().ready();
  const [worker] = run.family().filter((p) => p.parent === run.pid);
  const pids = { run: worker.pid };
  for (const what of ["deskd", "hostd"]) {
    pids[what] = run.find(`porthole-${what}`);
  }
  const look = () => Object.fromEntries(
    Object.entries(pids).map(([what, pid]) => [what, holds(pid)]));
  // Right after a death some connections are not there again yet: what counts
  // is the most that was open early on.
  const most = look();
  try {
    for (let i = 0; i < CYCLES; i++) {
      await run.replace(desktop.compositor);
      await until(() => measure(place, ["-d", "1", run.link])
        .then((seen) => seen.frames > 0, () => false), "a picture");
      const now = look();
      if (SOAK) console.log(`${name} ${i + 1}: ${JSON.stringify(now)}`);
      for (const [what, { fds, kib }] of Object.entries(i < 2 ? now : {})) {
        most[what] = { fds: Math.max(fds, most[what].fds), kib };
      }
    }
    await until(() => Object.entries(look()).every(
      ([what, { fds }]) => fds <= most[what].fds), "descriptors to be closed")
      .catch((error) => {
        throw new Error(`${error.message}: ${JSON.stringify([most, look()])}`);
      });
    for (const [what, { kib }] of Object.entries(look())) {
      const grown = kib - most[what].kib;
      assert.ok(grown < MOST_KIB, `${what} grew by ${grown} KiB`);
    }
    for (const [what, pid] of Object.entries(pids)) {
      assert.ok(alive(pid), `${what} did not live through it`);
    }
    await run.leaveNothing();
  } finally {
    await run.stop();
  }
});
