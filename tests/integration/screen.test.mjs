// SPDX-License-Identifier: LGPL-2.1-or-later
// A desktop's picture and pointer, in Chromium on the real thing: a terminal
// that is seen and typed into, killed with its compositor and back; colours,
// clicks, drags, wheel and fingers; what is held when a browser goes.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { launch } from "../browser/harness.mjs";
import { RUN, SIZE, desktop, name, shoot } from "./desktops.mjs";
import { Desk } from "./desk.mjs";
import { Place, Run, descendants, measure, until } from "./porthole.mjs";

const place = new Place();
let browser;

before(async () => {
  browser = await launch({ viewport: SIZE });
});
after(async () => {
  await browser?.close();
  place.remove();
});

/** Types a command; waits until the file that it writes is whole. */
async function written(viewer, command, file) {
  const whole = path.join(place.dir, file);
  await viewer.type(`${command} > ~/${file}.new; mv ~/${file}.new ~/${file}\n`);
  await until(() => existsSync(whole), `${file} to be written`);
  return readFileSync(whole, "utf8");
}

/** Waits until a terminal's prompt is seen: what is there then, not `old`. */
function prompt(viewer, old = Buffer.alloc(0)) {
  return until(async () => {
    const bytes = await viewer.pixels(...desktop.prompt);
    return !bytes.equals(old) && bytes.some((b, i) => b !== bytes[i % 4]) &&
      bytes;
  }, "the prompt of a shell");
}

test("seen, typed into, killed and back, gone", async () => {
  const { compositor, parts, terminal: [terminal] } = desktop;
  const run = await new Run(place, RUN).ready();
  try {
    for (const part of [...parts, compositor, terminal]) {
      assert.match(run.err,
        new RegExp(`starting ${part} \\.\\.\\. ok \\(\\d+\\.\\d s\\)`));
    }
    const viewer = await browser.open(run.link);
    assert.equal(new URL(viewer.page.url()).hash, "", "the token stays shown");
    assert.deepEqual(await viewer.page.evaluate(() =>
      window.porthole.picture()), SIZE);
    await prompt(viewer);
    assert.equal(await written(viewer, "echo $((6*7)) 'aB{}[]|~#&?'", "typed"),
      "42 aB{}[]|~#&?\n");
    await viewer.click(500, 400);
    await shoot(viewer, "terminal");
    const old = await prompt(viewer);
    await run.replace(compositor);
    await until(() => run.find(terminal), "the terminal");
    await viewer.picture();
    await prompt(viewer, old);
    assert.match(await written(viewer, "echo again", "again"), /again/);
    assert.deepEqual(viewer.errors, []);
    await viewer.page.close();
    await run.leaveNothing();
  } finally {
    await run.stop();
  }
});

/** Left to right, top to bottom. */
const COLOURS = [
  [0xff, 0x00, 0x00], [0x00, 0xff, 0x00], [0x00, 0x00, 0xff],
  [0xff, 0xff, 0x00], [0x00, 0xff, 0xff], [0xff, 0x00, 0xff],
  [0xff, 0xff, 0xff], [0x20, 0x40, 0x60]];

/** How far the worst of the patches that are shown is off. */
async function levelsOff(viewer) {
  let worst = 0;
  for (const [i, colour] of COLOURS.entries()) {
    const x = Math.floor((i % 4 + 0.5) * SIZE.width / 4) - 4;
    const y = Math.floor((Math.floor(i / 4) + 0.5) * SIZE.height / 2) - 4;
    const bytes = await viewer.pixels(x, y, 8, 8);
    worst = Math.max(worst, ...colour.map((v, c) => Math.abs(v - bytes[c])));
  }
  return worst;
}

/** Where the pointer was seen last. */
function pointerOf(desk) {
  return [...desk.text.matchAll(/^motion (\d+) (\d+)/gm)].at(-1)
    .slice(1).map(Number);
}

async function clicks(desk, viewer) {
  for (const [width, height] of [[1920, 1080], [701, 933], [1280, 720]]) {
    await viewer.page.setViewportSize({ width, height });
    for (const [x, y] of [[100, 50], [1270, 710], [640, 360]]) {
      const from = desk.text.length;
      await viewer.click(x, y);
      await desk.seen(/button 272 1[^]*button 272 0/, "a click", from);
      const at = pointerOf(desk);
      const near = Math.ceil(SIZE.width / width);
      assert.ok(Math.abs(at[0] - x) <= near && Math.abs(at[1] - y) <= near,
        `clicked ${x},${y} in ${width}x${height}, arrived at ${at}`);
    }
  }
}

/** A tap; where there are no fingers it is a click. */
async function taps(desk, viewer) {
  const [x, y] = [400, 300];
  const at = await viewer.place(x, y);
  const client = await browser.context.newCDPSession(viewer.page);
  const tap = async () => {
    for (const [type, points] of [["touchStart", [at]], ["touchEnd", []]]) {
      await client.send("Input.dispatchTouchEvent",
        { type, touchPoints: points.map((p) => ({ ...p, id: 1 })) });
    }
  };
  const from = desk.text.length;
  await tap();
  if (!desktop.touch) {
    await desk.seen(/button 272 1[^]*button 272 0/, "a tap", from);
    assert.deepEqual(pointerOf(desk), [x, y]);
    return;
  }
  // Applications learn of fingers with the first one.
  const touched = () => /touch \d+ (\d+) (\d+)\n[^]*lifted/.exec(
    desk.text.slice(from));
  await until(touched, "a finger", 2000).catch(tap);
  assert.deepEqual((await until(touched, "a finger")).slice(1).map(Number),
    [x, y]);
  assert.doesNotMatch(desk.text.slice(from), /button/);
}

test("colours, clicks, drags, wheel, fingers", async () => {
  const desk = await new Desk(place, RUN, ...desktop.patch).ready();
  try {
    const viewer = await browser.open(desk.run.link);
    const [w, h] = [SIZE.width / 4, SIZE.height / 2];
    let worst = 255;
    await until(async () => {
      // More than once: a window that becomes fullscreen begins anew.
      desk.draw(...COLOURS.map((rgb, i) => `rect ${i % 4 * w} ` +
        `${Math.floor(i / 4) * h} ${w} ${h} ${Buffer.from(rgb).toString("hex")}`));
      worst = await levelsOff(viewer);
      return worst <= 4;
    }, "eight colours").catch(() => {});
    await shoot(viewer, "patches");
    assert.ok(worst <= 4, `${worst} levels off`);
    await clicks(desk, viewer);
    const from = desk.text.length;
    await viewer.drag(200, 200, 900, 600);
    await desk.seen(/button 272 1[^]*motion 900 600[^]*button 272 0/,
      "a drag", from);
    await viewer.page.mouse.wheel(0, 120);
    await desk.seen(/^axis 0 [1-9]/m, "the wheel", from);
    await taps(desk, viewer);
    assert.deepEqual(viewer.errors, []);
    await viewer.page.close();
  } finally {
    await desk.stop();
  }
});

/** Sends a signal to all processes of a browser. */
function signal(other, which) {
  for (const { pid, name: program } of descendants(process.pid)) {
    if (!/chrom/.test(program)) continue;
    const line = readFileSync(`/proc/${pid}/cmdline`, "latin1");
    if (line.includes(other.profile)) process.kill(pid, which);
  }
}

test("what a browser held is released when it goes", async () => {
  const desk = await new Desk(place, RUN, ...desktop.patch).ready();
  const other = await launch({ viewport: SIZE });
  try {
    for (const [goes, its] of [
      [(viewer) => viewer.page.close(), browser],
      [() => signal(other, "SIGSTOP"), other], // its connection stays
    ]) {
      const viewer = await its.open(desk.run.link);
      await viewer.click(500, 500);
      const from = desk.text.length;
      await viewer.page.keyboard.down("KeyQ");
      await viewer.page.keyboard.down("ShiftLeft");
      await viewer.page.mouse.down();
      await desk.seen(/key 16 1[^]*key 42 1[^]*button 272 1/, "all down", from);
      const held = desk.text.length;
      await goes(viewer);
      for (const up of [/key 16 0/, /key 42 0/, /button 272 0/]) {
        await desk.seen(up, String(up), held);
      }
    }
  } finally {
    signal(other, "SIGKILL");
    await other.close().catch(() => {});
    await desk.stop();
  }
});

test("as a normal user", async () => {
  const run = await new Run(place, RUN, {}, process.getuid() === 0
    ? ["unshare", "-U", "--map-user=1000", "--map-group=1000"] : []).ready();
  try {
    const { width, height } = await measure(place, ["-d", "1", run.link]);
    assert.deepEqual({ width, height }, SIZE);
    assert.ok(run.dir.startsWith(place.dir), run.dir);
    await run.leaveNothing();
  } finally {
    await run.stop();
  }
});

test("what is missing is named", async () => {
  const none = new Run(place, ["--desktop", name], { PATH: "/nowhere" });
  assert.equal((await none.end).code, 1);
  assert.match(none.err, new RegExp(
    `${desktop.compositor} is not installed: apt-get install ` +
    desktop.compositor.toLowerCase()));
});
