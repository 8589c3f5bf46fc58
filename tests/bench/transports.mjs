// SPDX-License-Identifier: LGPL-2.1-or-later
// Contents over transports, version 1 next to ours in the same run:
//   node tests/bench/transports.mjs [--seconds N] [--fps N] [--json] [CONTENT...]
// The relay is a way of 72 MB/s and 1 ms in each direction. CPU times are of
// this guest (painting aside) and of the host. At the end: the PSNR of luma of
// what comes back. Needs PORTHOLE_BUILD (default build), made with
// -Dbuildtype=release for numbers that count.
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { parseArgs, promisify } from "node:util";
import { ticks } from "../integration/porthole.mjs";

const RATE = 72_000_000;
const DELAY_US = 1000;
const TICK_MS = 10;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "5" },
    fps: { type: "string", default: "60" },
    json: { type: "boolean", default: false },
  },
});
const contents = positionals.length ? positionals
  : ["static", "typing", "scroll", "drag", "video"];
const build = path.resolve(process.env.PORTHOLE_BUILD ?? "build");
const bin = (name) => path.join(build, name);
const run = promisify(execFile);

/** Starts a program; resolves when it has said where it listens. */
async function listening(program, args, count) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
  const endpoints = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const match = /^listening (\S+)/.exec(line);
    if (match) endpoints.push(match[1]);
    if (endpoints.length === count) return { child, endpoints };
  }
  throw new Error(`${program} ended`);
}

async function measure(host, endpoint, content, flags) {
  const before = ticks(host.pid);
  const { stdout } = await run(bin("src/cli/porthole-bench"), ["frames",
    "--endpoint", endpoint, "--content", content, "--json",
    "--seconds", values.seconds, "--fps", values.fps, ...flags]);
  const result = JSON.parse(stdout);
  const spent = (ticks(host.pid) - before) * TICK_MS;
  return { ...result, hostCpuMs: spent / result.frames };
}

async function quality(endpoint, content) {
  const { stdout } = await run(bin("tests/bench/bench_quality"),
    [endpoint, content]);
  return JSON.parse(stdout);
}

function row(transport, r) {
  const number = (value, digits) => Number(value).toFixed(digits);
  console.log(`| ${r.content} | ${transport} | ${r.way} | ` +
    `${number(r.fps, 1)} | ${number(r.latency_ms.p50, 1)} / ` +
    `${number(r.latency_ms.p99, 1)} | ${number(r.wire_bytes, 0)} | ` +
    `${number(r.cpu_ms, 2)} | ${number(r.hostCpuMs, 1)} |`);
}

const folder = mkdtempSync(path.join(os.tmpdir(), "pt-"));
const socket = `unix:${path.join(folder, "host")}`;
const host = await listening(bin("src/hostd/porthole-hostd"),
  ["--listen", socket, "--listen", "tcp:127.0.0.1:0"], 2);
const tcp = host.endpoints[1];
const relay = await listening(bin("tests/bench/relay"),
  ["tcp:127.0.0.1:0", tcp, String(RATE), String(DELAY_US)], 1);
const transports = [
  { name: "unix, shared memory", endpoint: socket, flags: [] },
  { name: "unix", endpoint: socket, flags: ["--no-sharing"], v1: true },
  { name: "TCP", endpoint: tcp, flags: [], v1: true },
  { name: "relay", endpoint: relay.endpoints[0], flags: [], v1: true },
];

const results = [];
const qualities = [];
try {
  if (!values.json) {
    console.log("| content | transport | way | frames/s | latency p50 / p99 " +
      "ms | bytes/frame | guest CPU ms | host CPU ms |\n" +
      "|---|---|---|---|---|---|---|---|");
  }
  for (const content of contents) {
    for (const t of transports) {
      for (const flags of t.v1 ? [t.flags, ["--raw-v1"]] : [t.flags]) {
        const r = await measure(host.child, t.endpoint, content, flags);
        results.push({ transport: t.name, ...r });
        if (!values.json) row(t.name, r);
      }
    }
  }
  for (const content of contents) {
    qualities.push(await quality(tcp, content));
  }
  if (values.json) {
    console.log(JSON.stringify({ results, qualities }, null, 2));
  } else {
    for (const q of qualities) {
      console.log(`${q.content}: ${q.mean_db} dB, at least ${q.least_db}`);
    }
  }
} finally {
  host.child.kill();
  relay.child.kill();
  rmSync(folder, { recursive: true, force: true });
}
