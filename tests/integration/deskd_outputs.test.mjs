// SPDX-License-Identifier: LGPL-2.1-or-later
// Several outputs in one porthole-deskd: who asks for one gets its picture and
// points at it; what they have in common, and what not. Outputs of the fake
// desktop are called by their size.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Deskd, TOKEN, VIEW_TOKEN } from "./deskd.mjs";
import { Viewer, message, u16 } from "./viewer.mjs";

const CONFIG = 2, TOO_MANY = 3, GOODBYE = 7, KEY = 0x81, POINTER = 0x82;
const RESIZE = 0x8f;
const PRESSED = 1;
const SIZES = ["640x480", "320x200"];
let deskd;

before(async () => {
  deskd = await Deskd.start(["--output", SIZES[0], "--output", SIZES[1],
    "--max-viewers", "3"]);
});
after(async () => {
  assert.deepEqual(await deskd.stop(), [0, null]);
});

const ask = async (path, token) => (await fetch(`${deskd.url}${path}`,
  { headers: { Authorization: `Bearer ${token}` } }));

/** A viewer of an output, and the size of what it sees. */
async function look(output, token = TOKEN) {
  const viewer = await new Viewer(deskd.port).join(token,
    output === undefined ? "/ws" : `/ws?output=${output}`);
  const config = await viewer.get(CONFIG);
  const size = `${config.readUInt16LE(4)}x${config.readUInt16LE(6)}`;
  return { viewer, size };
}

test("each has its picture and its input; the first is the default",
  async () => {
    for (const [i, output] of [[0, undefined], [0, SIZES[0]], [1, SIZES[1]]]) {
      const { viewer, size } = await look(output);
      assert.equal(size, SIZES[i]);
      viewer.say(message(POINTER, u16(10 + i, 20, 100, 100)));
      viewer.say(message(KEY, u16(30), PRESSED));
      await deskd.line(`${SIZES[i]} key 30 1`);
      viewer.drop();
      await deskd.line(`${SIZES[i]} key 30 0`);
      await deskd.statsWhen((s) => s.viewers === 0);
    }
    assert.ok(deskd.lines.includes("640x480 pointer 67 98 640 480"));
    assert.ok(deskd.lines.includes("320x200 pointer 36 41 320 200"));
  });

test("one that is not there is refused, with a list of those that are",
  async () => {
    const viewer = await new Viewer(deskd.port).open({}, "/ws?output=DP-9");
    assert.equal(viewer.status, 404);
    const answer = await fetch(`${deskd.url}ws?output=DP-9`);
    assert.match(await answer.text(), /'DP-9'[^]*\n640x480\n320x200\n/);
  });

test("the list and the figures of each need a token", async () => {
  assert.equal((await fetch(`${deskd.url}outputs`)).status, 401);
  const { viewer } = await look(SIZES[1]);
  const { outputs } = await (await ask("outputs", VIEW_TOKEN)).json();
  assert.deepEqual(outputs.map((o) => o.name), SIZES);
  assert.deepEqual([outputs[1].width, outputs[1].height], [320, 200]);
  const stats = await deskd.statsWhen((s) => s.active);
  assert.equal(stats.viewers, 1);
  assert.deepEqual(stats.outputs.map((o) => [o.name, o.viewers, o.active]),
    [[SIZES[0], 0, false], [SIZES[1], 1, true]]);
  assert.deepEqual(stats.each_viewer.map((v) => v.output), [SIZES[1]]);
  deskd.process.kill("SIGUSR1");
  while (!/320x200: 1 viewers/.test(deskd.errors)) {
    await new Promise((resolve) => { setTimeout(resolve, 10); });
  }
  viewer.drop();
  await deskd.statsWhen((s) => s.viewers === 0);
});

test("the number of viewers is limited for all of them together", async () => {
  const some = [await look(SIZES[0]), await look(SIZES[1]),
    await look(SIZES[1])];
  for (const output of SIZES) {
    const late = await new Viewer(deskd.port).join(TOKEN,
      `/ws?output=${output}`);
    assert.equal((await late.get(GOODBYE)).readUInt16LE(4), TOO_MANY);
  }
  some.forEach(({ viewer }) => viewer.drop());
  await deskd.statsWhen((s) => s.viewers === 0);
});

test("a wish for another size is about one of them", async () => {
  const [one, two] = [await look(SIZES[0]), await look(SIZES[1])];
  two.viewer.say(message(RESIZE, u16(800, 600, 120)));
  await two.viewer.until(() => two.viewer.messages.some((m) =>
    m[0] === CONFIG && m.readUInt16LE(4) === 800));
  const { outputs } = await (await ask("outputs", TOKEN)).json();
  assert.deepEqual(outputs.map((o) => o.width), [640, 800]);
  one.viewer.drop();
  two.viewer.drop();
});

test("all: those that the desktop has", async (t) => {
  const other = await Deskd.start(["--output", "all"]);
  t.after(() => other.kill());
  const { outputs } = await other.stats();
  assert.deepEqual(outputs.map((o) => o.name), SIZES);
  await other.stop();
});
