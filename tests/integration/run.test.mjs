// SPDX-License-Identifier: LGPL-2.1-or-later
// porthole run with a real sway: what it starts, what it starts again, and
// that nothing of it stays.
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { after, afterEach, test } from "node:test";
import {
  Place, Program, Run, descendants, measure, stream, until,
} from "./porthole.mjs";

const NO_NAMESPACES =
  new URL("no_namespaces.py", import.meta.url).pathname;
const place = new Place();
/** @type {Run[]} */
const runs = [];

function run(args = [], env = {}, wrap = []) {
  const started = new Run(place, args, env, wrap);
  runs.push(started);
  return started;
}

afterEach(async () => {
  await Promise.all(runs.splice(0).map((r) => r.stop()));
});
after(() => place.remove());

function sessions() {
  const dir = path.join(place.dir, "porthole/sessions");
  return existsSync(dir) ? readdirSync(dir) : [];
}

test("starts, says where, and Ctrl-C leaves nothing", async () => {
  const r = await run(["--name", "first"]).ready();
  assert.match(r.err, /starting sway \.\.\. ok \(\d+\.\d s\)/);
  assert.match(r.err, /starting foot \.\.\. ok/);
  assert.match(r.err, /starting porthole-hostd \.\.\. ok/);
  assert.match(r.err, /starting porthole-deskd \.\.\. ok/);
  assert.equal(r.links.length, 2);
  assert.notEqual(r.links[0], r.links[1]);
  assert.equal(statSync(r.dir).mode & 0o777 & ~0o011, 0o700);
  const [name] = sessions();
  const file = path.join(place.dir, "porthole/sessions", name);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const facts = JSON.parse(readFileSync(file, "utf8"));
  assert.equal(facts.name, "first");
  assert.equal(r.link, `${facts.url}#token=` +
    readFileSync(facts.token_file, "utf8").trim());
  assert.equal(statSync(facts.token_file).mode & 0o777, 0o600);

  const start = Date.now();
  await r.leaveNothing();
  assert.ok(Date.now() - start < 10000, "it took its time");
  assert.deepEqual(sessions(), []);
});

for (const signal of ["SIGTERM", "SIGHUP"]) {
  test(`${signal} ends it like Ctrl-C`, async () => {
    const r = await run().ready();
    await r.leaveNothing(signal);
    assert.deepEqual(sessions(), []);
  });
}

test("a program that will not end is ended", async () => {
  const r = await run(["--", "sh", "-c",
    "trap '' TERM HUP INT; setsid sleep 1000 & echo up; " +
    "while :; do sleep 1000; done"]).ready();
  await until(() => r.family().filter((p) => p.name === "sleep").length > 1,
    "its children");
  await r.leaveNothing();
});

test("two side by side", async () => {
  const [a, b] = await Promise.all([run().ready(), run().ready()]);
  assert.notEqual(new URL(a.link).port, new URL(b.link).port);
  assert.notEqual(a.dir, b.dir);
  assert.equal(sessions().length, 2);
  const several = await stream(place, []);
  assert.equal(several.code, 1);
  assert.match(several.err, /several sessions run here/);
  for (const r of [a, b]) {
    assert.ok((await measure(place, ["-d", "1", r.link])).frames > 0);
  }
  assert.equal(await a.stop(), 0);
  assert.ok((await measure(place, ["-d", "1"])).frames > 0,
    "the other one goes on");
});

test("what is killed comes back", async () => {
  const r = await run(["--size", "640x480"]).ready();
  const before = (await measure(place, ["-d", "1"]));
  for (const name of ["porthole-hostd", "porthole-deskd", "foot", "sway"]) {
    await r.replace(name);
    // The link is the same, and a picture comes.
    const now = await until(
      () => measure(place, ["-d", "1", r.link]).catch(() => null),
      `a picture after ${name} was killed`);
    assert.equal(now.width, before.width);
  }
  await until(() => r.find("foot"), "the terminal after sway was killed");
  assert.match(r.err, /porthole-hostd was ended by signal 9 .*again in 0\.1/);
  assert.match(r.err, /sway was ended by signal 9/);
});

test("killing porthole run leaves nothing", async () => {
  for (const victim of ["the first", "the second"]) {
    const r = await run().ready();
    const family = r.family();
    const [worker] = descendants(r.pid).filter((p) => p.parent === r.pid);
    process.kill(victim === "the first" ? r.pid : worker.pid, "SIGKILL");
    await r.end;
    await r.gone(family);
    assert.deepEqual(sessions(), []);
  }
  // Both at once: what they started dies with them, and the next one removes
  // the folder.
  const r = await run().ready();
  const family = r.family().filter((p) => p.name !== "sleep");
  const [worker] = descendants(r.pid).filter((p) => p.parent === r.pid);
  process.kill(r.pid, "SIGSTOP");
  process.kill(worker.pid, "SIGKILL");
  process.kill(r.pid, "SIGKILL");
  await until(() => r.remains(family).length === 0, "its processes to end");
  assert.equal(sessions().length, 1);
  const next = await run().ready();
  assert.equal(existsSync(r.dir), false, `${r.dir} is still there`);
  assert.deepEqual(sessions(), [`${path.basename(next.dir).slice(-6)}.json`]);
});

// Docker's default: root may become others, but make no user namespace.
for (const [ids, works] of [["all", true], ["one", false]]) {
  test(`as root without user namespaces, ${ids} of the ids`, async () => {
    if (process.getuid() !== 0) return; // nothing to show then
    const r = run([], {}, ["python3", NO_NAMESPACES, ids]);
    if (!works) {
      assert.equal((await r.end).code, 1);
      assert.match(r.err, /sway .* failed: it does not run as root, and nei/);
      return;
    }
    await r.ready();
    assert.ok((await measure(place, ["-d", "1", r.link])).frames > 0);
    await r.leaveNothing();
  });
}

test("--once ends with the program, and as it ended", async () => {
  const good = run(["--once", "--", "sh", "-c", "sleep 2"]);
  assert.equal((await good.end).code, 0, good.text);
  const bad = run(["--once", "--", "sh", "-c", "sleep 2; exit 7"]);
  assert.equal((await bad.end).code, 1, bad.text);
});

test("a port that is taken", async () => {
  const holder = net.createServer().listen(0, "127.0.0.1");
  await until(() => holder.address(), "a port");
  const { port } = /** @type {net.AddressInfo} */ (holder.address());
  const r = run(["--http", `127.0.0.1:${port}`]);
  assert.equal((await r.end).code, 1);
  assert.match(r.err, new RegExp(`cannot listen on 127.0.0.1:${port}: ` +
    "Address already in use; choose another"));
  holder.close();
});

test("what is missing is named", async () => {
  const empty = { PATH: "/nowhere" };
  const none = run([], empty);
  assert.equal((await none.end).code, 1);
  assert.match(none.err, /sway is not installed: apt-get install sway/);

  const program = run(["--", "no-such-program"]);
  assert.equal((await program.end).code, 1);
  assert.match(program.err, /there is no program 'no-such-program'/);

  const own = run([], { PORTHOLE_LIBEXEC: "/nowhere" });
  assert.equal((await own.end).code, 1);
  assert.match(own.err, /porthole-deskd is not beside this program/);

  const doctor = new Program(["doctor"], { env: place.env(empty) });
  assert.equal((await doctor.end).code, 1);
  assert.match(doctor.out, /MISSING +sway/);
  assert.match(doctor.out, /apt-get install .*sway foot/);
});

test("a host that does not start is shown with its last words", async () => {
  const r = run(["--encoder", "no-such-encoder"]);
  assert.equal((await r.end).code, 1, r.text);
  assert.match(r.err, /starting porthole-hostd \.\.\. failed: it ended with/);
  assert.match(r.err, /\n {2}\| .*no-such-encoder/);
  assert.deepEqual(sessions(), []);
});

test("a wrong command line", async () => {
  for (const args of [
    ["run", "--size", "big"], ["run", "--desktop", "twm"],
    ["run", "--host", "there"], ["run", "--http", "8080"],
    ["run", "--layout", "us\nexec true"], ["stream", "a", "b"], ["fly"],
    ["run", "--host", "tcp:127.0.0.1:1", "--encoder", "x"], [],
  ]) {
    const p = new Program(args, { env: place.env() });
    assert.equal((await p.end).code, 2, `${args}: ${p.text}`);
    assert.notEqual(p.err, "");
  }
});
