// SPDX-License-Identifier: LGPL-2.1-or-later
// porthole stream against a real desktop: its numbers, its file, its words
// when something is wrong.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import path from "node:path";
import { after, afterEach, before, test } from "node:test";
import { Place, Program, Run, measure, stream, until } from "./porthole.mjs";

const place = new Place();
/** @type {Run} */
let still;

before(async () => {
  still = await new Run(place, ["--size", "1280x720", "--name", "still"])
    .ready();
});
/** Whatever else a test started: a failed one must not leave it behind, for
 * node would wait for it. */
const started = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((p) => {
    if (!p.ended) p.kill("SIGINT");
    return p.end;
  }));
});
after(async () => {
  await still.stop();
  place.remove();
});

/** @template {Program} T @param {T} program @returns {T} */
function start(program) {
  started.push(program);
  return program;
}

function size(file) {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

test("the keys of the result", async () => {
  const r = await measure(place, ["--duration", "1"]);
  assert.deepEqual(Object.keys(r).sort(), [
    "bitrate_bps", "bytes", "clock_error_ms", "codec", "fps", "frame_bytes",
    "frames", "gap_ms", "height", "keyframes", "latency_ms", "seconds",
    "stages_ms", "width",
  ]);
  assert.deepEqual(Object.keys(r.frame_bytes), ["mean", "max"]);
  assert.deepEqual(Object.keys(r.gap_ms), ["p50", "p95", "p99", "max"]);
  assert.deepEqual(Object.keys(r.latency_ms), ["p50", "p95", "p99"]);
  assert.deepEqual(Object.keys(r.stages_ms), [
    "capture", "convert", "submit", "link", "wait", "encode", "queue",
    "network",
  ]);
  assert.equal(r.width, 1280);
  assert.equal(r.height, 720);
  assert.match(r.codec, /^avc1\.[0-9A-F]{6}$/);
  assert.ok(r.frames >= 1 && r.keyframes >= 1);
  assert.ok(r.seconds >= 1);
  assert.ok(r.clock_error_ms >= 0 && r.clock_error_ms < 1000);
});

for (const [fps, share] of [[30, 29 / 30], [60, 57 / 60]]) {
  test(`a still screen at ${fps} frames a second`, async () => {
    // In one of three turns: others may use the machine meanwhile.
    let r;
    for (let turn = 0; turn < 3; turn++) {
      r = await measure(place, ["-d", "5", "--fps", String(fps)]);
      assert.ok(r.fps < fps * 1.1, JSON.stringify(r));
      if (r.frames >= Math.floor(r.seconds) * fps * share) return;
    }
    assert.fail(JSON.stringify(r));
  });
}

test("stages add up to the latency", async () => {
  const busy = await start(new Run(place, ["--size", "640x480", "--", "foot",
    "-e", "sh", "-c", "while :; do date +%N; sleep 0.03; done"])).ready();
  const file = path.join(place.dir, "busy.h264");
  const r = await measure(place, ["-d", "3", "-o", file, busy.link]);
  await busy.stop();
  assert.ok(r.frames > 10, JSON.stringify(r));
  const sum = Object.values(r.stages_ms).reduce((a, b) => a + b);
  assert.ok(Math.abs(sum - r.latency_ms.p50) <= 1 + 2 * r.clock_error_ms,
    JSON.stringify(r));
  assert.ok(Object.values(r.stages_ms).every((ms) => ms >= 0) ||
    r.stages_ms.network >= -r.clock_error_ms, JSON.stringify(r));

  const probe = JSON.parse(execFileSync("ffprobe", [
    "-v", "error", "-count_frames", "-of", "json", "-show_entries",
    "stream=codec_name,width,height,nb_read_frames", file,
  ], { encoding: "utf8" })).streams[0];
  assert.equal(probe.codec_name, "h264");
  assert.deepEqual([probe.width, probe.height], [640, 480]);
  assert.equal(Number(probe.nb_read_frames), r.frames);
});

test("Ctrl-C shows the result so far", async () => {
  const file = path.join(place.dir, "some.h264");
  const p = start(new Program(
    ["stream", "--fps", "60", "-o", file, "still"], { env: place.env() }));
  await until(() => p.ended || size(file) > 0, "something in the file");
  p.kill("SIGINT");
  assert.deepEqual(await p.end, { code: 0, signal: null });
  assert.match(p.out, /^frames +\d+ in /m);
});

test("what is wrong is said", async () => {
  const url = still.link.replace(/#.*/, "");
  const cases = [
    [[`${url}#token=${"x".repeat(43)}`], /does not accept the token/],
    [[url], /there is no token/],
    [["--token-file", "/nowhere/token", url], /cannot read a token from/],
    [["http://127.0.0.1:1/#token=aaaa"], /cannot connect.*refused/],
    [["no-such-session"], /neither a link nor a session/],
    [["-o", "/nowhere/x.h264", "still"], /cannot write \/nowhere\/x.h264/],
  ];
  for (const [args, words] of cases) {
    const { code, out, err } = await stream(place, ["-d", "1", ...args]);
    assert.equal(code, 1, err);
    assert.match(err, words);
    assert.equal(out, "");
  }
});

test("a link to look on only will do", async () => {
  const r = await measure(place, ["-d", "1", still.links[1]]);
  assert.ok(r.frames >= 1);
});

test("the session ends meanwhile", async () => {
  const short = await start(
    new Run(place, ["--size", "320x240"])).ready();
  const file = path.join(place.dir, "short.h264");
  const p = start(new Program(
    ["stream", "--fps", "10", "-o", file, short.link], { env: place.env() }));
  await until(() => p.ended || size(file) > 0, "something in the file");
  await short.stop();
  assert.equal((await p.end).code, 1);
  assert.match(p.err, /session is over/);
  assert.match(p.out, /^frames /m);
});
