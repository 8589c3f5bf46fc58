// SPDX-License-Identifier: LGPL-2.1-or-later
// porthole run --desktop xvfb in Chromium: seen, typed into, killed and back,
// and nothing of it stays. PORTHOLE_SHOTS=DIR keeps the screenshots.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync, mkdirSync, readFileSync, writeFileSync,
} from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { launch } from "../browser/harness.mjs";
import { Desk } from "./desk.mjs";
import { Place, Run, measure, until } from "./porthole.mjs";

const shots = process.env.PORTHOLE_SHOTS;
const place = new Place();
let browser;

before(async () => {
  browser = await launch({ viewport: { width: 1280, height: 720 } });
});
after(async () => {
  await browser?.close();
  place.remove();
});

/** Types a command; waits until the file that it writes is whole. */
async function written(viewer, command, name) {
  const file = path.join(place.dir, name);
  await viewer.type(`${command} > ~/${name}.new; mv ~/${name}.new ~/${name}\n`);
  await until(() => existsSync(file), `${name} to be written`);
  return readFileSync(file, "utf8");
}

/** Whether a part of the picture has more than one colour. */
async function drawn(viewer) {
  const bytes = await viewer.pixels(0, 0, 400, 60);
  return bytes.some((b, i) => b !== bytes[i % 4]);
}

test("seen, typed into, killed and back, gone", async () => {
  const run = await new Run(place, ["--desktop", "xvfb", "--size", "1280x720"])
    .ready();
  const { dir } = run;
  try {
    assert.match(run.err, /starting Xvfb \.\.\. ok \(\d+\.\d s\)/);
    assert.match(run.err, /starting xterm \.\.\. ok/);
    const viewer = await browser.open(run.link);
    assert.deepEqual(await viewer.page.evaluate(() =>
      window.porthole.picture()), { width: 1280, height: 720 });
    await until(() => drawn(viewer), "the prompt of a shell");
    assert.equal(await written(viewer, "echo $((6*7)) 'aB{}[]|~#&?'", "typed"),
      "42 aB{}[]|~#&?\n");
    if (shots) {
      await viewer.page.screenshot({ path: path.join(shots, "xvfb.png") });
    }
    const others = await written(viewer, "env", "env");
    assert.match(others, new RegExp(`XAUTHORITY=${dir}`));
    await run.replace("Xvfb");
    await until(() => run.find("xterm"), "the terminal");
    await until(async () => {
      await viewer.picture();
      return drawn(viewer);
    }, "a picture after kill -9 of Xvfb");
    assert.match(await written(viewer, "echo again", "again"), /again/);
    const family = run.family();
    assert.equal(await run.stop(), 0);
    await until(() => run.remains(family).length === 0, "its processes to end");
    assert.equal(existsSync(dir), false);
    await viewer.page.close();
  } finally {
    await run.stop();
  }
});

test("colours, clicks and drags arrive where they should", async () => {
  const desk = await new Desk(place, ["--desktop", "xvfb", "--size",
    "1280x720"], process.env.PORTHOLE_X_PATCH).ready();
  try {
    const viewer = await browser.open(desk.run.link);
    desk.draw("rect 0 0 640 720 ff0000", "rect 640 0 640 360 00ff00",
      "rect 640 360 640 360 204060");
    for (const [x, y, want] of [[300, 300, [255, 0, 0]],
      [1000, 100, [0, 255, 0]], [1000, 600, [0x20, 0x40, 0x60]]]) {
      await until(async () => {
        const got = await viewer.pixels(x, y, 4, 4);
        return want.every((v, i) => Math.abs(v - got[i]) <= 4);
      }, `the colour at ${x},${y}`);
    }
    for (const [x, y] of [[100, 50], [1270, 710], [640, 360]]) {
      const from = desk.text.length;
      await viewer.click(x, y);
      await desk.seen(/button 272 0/, "a click", from);
      const [, mx, my] = [...desk.text.matchAll(/^motion (\d+) (\d+)/gm)]
        .at(-1).map(Number);
      assert.ok(Math.abs(mx - x) <= 1 && Math.abs(my - y) <= 1,
        `clicked ${x},${y}, arrived at ${mx},${my}`);
    }
    const from = desk.text.length;
    await viewer.drag(200, 200, 900, 600);
    await desk.seen(/button 272 1[^]*motion 900 600[^]*button 272 0/,
      "a drag", from);
    await viewer.page.mouse.wheel(0, 120);
    await desk.seen(/^axis 0 1/m, "the wheel", from);
    await viewer.page.keyboard.down("KeyQ");
    await desk.seen(/key 16 1/, "a key", from);
    await viewer.page.close();
    await desk.seen(/key 16 0/, "its release", from);
  } finally {
    await desk.stop();
  }
});

// Also with the window manager that is found, whatever it is.
test("as a normal user", async () => {
  const bin = path.join(place.dir, "bin");
  mkdirSync(bin);
  writeFileSync(path.join(bin, "openbox"), "#!/bin/sh\nexec sleep 1000\n",
    { mode: 0o755 });
  const run = await new Run(place, ["--desktop", "xvfb", "--size", "640x480"],
    { PATH: `${bin}:${process.env.PATH}` }, process.getuid() === 0
      ? ["unshare", "-U", "--map-user=1000", "--map-group=1000"] : []).ready();
  try {
    assert.match(run.err, /starting openbox \.\.\. ok/);
    const seen = await measure(place, ["-d", "1", run.link]);
    assert.deepEqual([seen.width, seen.height], [640, 480]);
  } finally {
    assert.equal(await run.stop(), 0);
  }
});

test("what is missing is named", async () => {
  const none = new Run(place, ["--desktop", "xvfb"], { PATH: "/nowhere" });
  assert.equal((await none.end).code, 1);
  assert.match(none.err, /Xvfb is not installed: apt-get install xvfb/);
});

test("without its cookie nobody comes in", async () => {
  const run = await new Run(place, ["--desktop", "xvfb", "--size", "640x480",
    "--", "sh", "-c", "echo $DISPLAY > ~/display; exec sleep 1000"]).ready();
  try {
    const file = path.join(place.dir, "display");
    await until(() => existsSync(file), "the display's name");
    const display = readFileSync(file, "utf8").trim();
    assert.match(display, /^:\d+$/);
    const env = { ...process.env, DISPLAY: display, XAUTHORITY: "/dev/null" };
    assert.throws(() => execFileSync("xwininfo", ["-root"], { env, stdio: "pipe" }));
    env.XAUTHORITY = path.join(run.dir, "desktop/Xauthority");
    execFileSync("xwininfo", ["-root"], { env, stdio: "pipe" });
  } finally {
    await run.stop();
  }
});
