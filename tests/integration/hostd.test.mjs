// SPDX-License-Identifier: LGPL-2.1-or-later
// porthole-hostd as a program: its command line, its endpoints, its end. A
// version 1 guest is played from the golden messages.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ticks } from "./porthole.mjs";

const HOSTD = process.env.HOSTD;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "porthole-hostd-"));
const running = new Set();

after(() => {
  for (const child of running) {
    child.kill("SIGKILL");
  }
  fs.rmSync(folder, { recursive: true });
});

function golden(name) {
  const file = new URL(`../golden/${name}.hex`, import.meta.url);
  const lines = fs.readFileSync(file, "utf8").split("\n");
  const hex = lines.filter((line) => !line.startsWith("#")).join("");
  return Buffer.from(hex.replaceAll(" ", ""), "hex");
}

function start(args, stdio = ["ignore", "pipe", "pipe"]) {
  const child = spawn(HOSTD, args, { stdio });
  child.log = "";
  child.stderr.on("data", (data) => { child.log += data; });
  child.ended = once(child, "exit").then(([code, signal]) => {
    running.delete(child);
    return code ?? signal;
  });
  running.add(child);
  return child;
}

// Its lines `listening ENDPOINT`, as many as are asked for.
async function endpoints(child, count) {
  let text = "";
  for await (const data of child.stdout) {
    text += data;
    const lines = text.split("\n").slice(0, -1);
    if (lines.length === count) {
      return lines.map((line) => {
        assert.match(line, /^listening (tcp|unix):/);
        return line.slice("listening ".length);
      });
    }
  }
  return assert.fail(`it ended: ${child.log}`);
}

function connect(endpoint) {
  const [, kind, rest] = endpoint.match(/^(tcp|unix):(.*)$/);
  if (kind === "unix") {
    return net.connect(rest);
  }
  const port = rest.slice(rest.lastIndexOf(":") + 1);
  return net.connect(Number(port), "127.0.0.1");
}

// The next message: its type and payload.
async function receive(socket) {
  let data = socket.rest ?? Buffer.alloc(0);
  while (data.length < 12 || data.length < 12 + data.readUInt32LE(8)) {
    const more = socket.read();
    if (more) {
      data = Buffer.concat([data, more]);
    } else {
      await once(socket, "readable");
      assert.ok(!socket.readableEnded, "the host hung up");
    }
  }
  const end = 12 + data.readUInt32LE(8);
  socket.rest = data.subarray(end);
  return { type: data[4], payload: data.subarray(12, end) };
}

async function talk(socket) {
  socket.write(golden("hxfr-frame-request"));
  const answer = await receive(socket);
  assert.equal(answer.type, 0x02);
  assert.equal(answer.payload.readBigInt64LE(0), 1000000000n);
  assert.equal(answer.payload.readUInt32LE(28 - 4), // size of the one NAL
    answer.payload.length - 28);
}

test("serves on each endpoint, and ends cleanly", async () => {
  const file = path.join(folder, "sock");
  const child = start(
    ["--listen", "tcp:127.0.0.1:0", "--listen", `unix:${file}`]);
  const [tcp, unix] = await endpoints(child, 2);
  assert.match(tcp, /^tcp:127\.0\.0\.1:[1-9][0-9]*$/);
  assert.equal(unix, `unix:${file}`);
  const guests = [connect(tcp), connect(unix)];
  for (const guest of guests) {
    await talk(guest);
  }
  child.kill("SIGTERM");
  assert.equal(await child.ended, 0);
  assert.ok(!fs.existsSync(file));
  guests.forEach((guest) => guest.destroy());
});

test("a socket file that was left behind is replaced", async () => {
  const file = path.join(folder, "stale");
  let child = start(["--listen", `unix:${file}`]);
  await endpoints(child, 1);
  child.kill("SIGKILL");
  assert.equal(await child.ended, "SIGKILL");
  assert.ok(fs.existsSync(file));
  child = start(["--listen", `unix:${file}`]);
  const [unix] = await endpoints(child, 1);
  const guest = connect(unix);
  await talk(guest);
  // A second one does not take it over.
  const second = start(["--listen", `unix:${file}`]);
  assert.equal(await second.ended, 1);
  assert.match(second.log, /cannot listen on unix:.*in use/);
  await talk(guest);
  child.kill("SIGINT");
  assert.equal(await child.ended, 0);
  guest.destroy();
});

test("serves an inherited socket, and ends with it", async () => {
  const child = start(["--fd", "3"], ["ignore", "pipe", "pipe", "pipe"]);
  const guest = child.stdio[3];
  await talk(guest);
  guest.destroy();
  assert.equal(await child.ended, 0);
});

test("idle guests cost nothing", { skip: process.platform !== "linux" },
  async () => {
    const child = start(["--listen", "tcp:127.0.0.1:0"]);
    const [tcp] = await endpoints(child, 1);
    const guests = Array.from({ length: 20 }, () => connect(tcp));
    await Promise.all(guests.map((guest) => talk(guest)));
    const before = ticks(child.pid);
    await sleep(3000);
    assert.ok(ticks(child.pid) - before <= 1);
    guests.forEach((guest) => guest.destroy());
    child.kill("SIGTERM");
    assert.equal(await child.ended, 0);
  });

test("garbage for one guest, service for another", async () => {
  const child = start(["--listen", "tcp:127.0.0.1:0"]);
  const [tcp] = await endpoints(child, 1);
  const good = connect(tcp);
  await talk(good);
  for (const bytes of ["GET / HTTP/1.1\r\n\r\n", "HXFR\x01\x01\x01\x00" +
      "\xff\xff\xff\xff", "\0".repeat(100000)]) {
    const bad = connect(tcp);
    bad.on("error", () => {}); // a reset is as good as an end
    bad.resume();
    bad.write(Buffer.from(bytes, "latin1"));
    await once(bad, "close");
    await talk(good);
  }
  good.destroy();
  child.kill("SIGTERM");
  assert.equal(await child.ended, 0);
});

test("tells what its guests do, when asked and from time to time", async () => {
  const child = start(["--listen", "tcp:127.0.0.1:0", "--stats", "0"]);
  const [tcp] = await endpoints(child, 1);
  const guest = connect(tcp);
  await talk(guest);
  child.kill("SIGUSR1");
  while (!/stats: guests: 1, /.test(child.log)) {
    await once(child.stderr, "data");
  }
  assert.match(child.log, /stats: guest 1: 2x4, [a-z0-9]+, [0-9.]+ fps, encode /);
  guest.destroy();
  child.kill("SIGTERM");
  assert.equal(await child.ended, 0);
});

test("writes that as lines of JSON", async () => {
  const child = start(
    ["--listen", "tcp:127.0.0.1:0", "--stats", "1", "--json"]);
  const lines = readline.createInterface({ input: child.stdout });
  const next = lines[Symbol.asyncIterator]();
  const tcp = (await next.next()).value.slice("listening ".length);
  const guest = connect(tcp);
  await talk(guest);
  let frames = 0;
  while (frames === 0) {
    const line = JSON.parse((await next.next()).value);
    if (line.type === "guest") {
      assert.equal(line.width, 2);
      assert.equal(line.frames, line.keyframes);
      frames += line.frames;
    } else {
      assert.equal(line.type, "host");
      assert.ok(line.memory < line.memory_limit);
    }
  }
  assert.equal(frames, 1);
  guest.destroy();
  child.kill("SIGTERM");
  assert.equal(await child.ended, 0);
});

test("its command line", () => {
  const run = (...args) => spawnSync(HOSTD, args,
    { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  assert.equal(run("--version").status, 0);
  assert.equal(run("--help").status, 0);
  const list = run("--list-encoders");
  assert.equal(list.status, 0);
  assert.match(list.stdout, /^libx264 .*: works$/m);
  for (const args of [["--listen", "nonsense"], ["operand"], ["--bad"],
    ["--bitrate", "1"], ["--fd", "x"]]) {
    const done = run(...args);
    assert.equal(done.status, 2, args.join(" "));
    assert.notEqual(done.stderr, "");
  }
  assert.equal(run("--encoder", "none-such").status, 1);
  const fd = run("--fd", "0");
  assert.equal(fd.status, 1);
  assert.match(fd.stderr, /--fd 0: no socket/);
});
