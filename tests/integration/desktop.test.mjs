// SPDX-License-Identifier: LGPL-2.1-or-later
// What a person does: opens the link in Chromium, sees the desktop, types,
// clicks, drags, makes the window smaller. On real sway, foot and Chromium.
// PORTHOLE_SHOTS=DIR keeps the screenshots.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { launch } from "../browser/harness.mjs";
import { Desk } from "./desk.mjs";
import { Place, Run, until } from "./porthole.mjs";

const shots = process.env.PORTHOLE_SHOTS;
let browser;

async function shoot(viewer, name) {
  if (shots) await viewer.screenshot(path.join(shots, `${name}.png`));
}

/** How many different colours a part of the picture has. */
async function colours(viewer, ...rect) {
  const bytes = await viewer.pixels(...rect);
  const seen = new Set();
  for (let i = 0; i < bytes.length; i += 4) {
    seen.add(bytes.readUInt32LE(i));
  }
  return seen.size;
}

before(async () => {
  browser = await launch({ viewport: { width: 1920, height: 1080 } });
});
after(() => browser?.close());

test("a terminal is seen and typed into", async () => {
  const place = new Place();
  const run = await new Run(place).ready();
  try {
    const viewer = await browser.open(run.link);
    assert.equal(new URL(viewer.page.url()).hash, "", "the token stays shown");
    const { width, height } = await viewer.page.evaluate(
      () => window.porthole.picture());
    assert.deepEqual([width, height], [1920, 1080]);
    await until(async () => await colours(viewer, 0, 0, 400, 60) > 4,
      "the prompt of a shell");
    await shoot(viewer, "terminal");
    const empty = await viewer.pixels(0, 0, 800, 200);
    await viewer.type("echo porthole-$((6*7)) 'aB{}[]|~#&?' > ~/typed\n");
    const typed = path.join(place.dir, "typed");
    await until(() => existsSync(typed) &&
      readFileSync(typed, "utf8").endsWith("\n"), "what was typed");
    assert.equal(readFileSync(typed, "utf8"), "porthole-42 aB{}[]|~#&?\n");
    await until(async () =>
      !empty.equals(await viewer.pixels(0, 0, 800, 200)), "its picture");
    await viewer.type("ls -l --color / /etc | head -40\n");
    await until(async () => await colours(viewer, 0, 200, 800, 200) > 4,
      "a listing");
    await shoot(viewer, "typed");
    assert.deepEqual(viewer.errors, []);
    await viewer.page.close();
  } finally {
    await run.stop();
    place.remove();
  }
});

/** The eight flat colours that wl_patch draws, left to right, top to bottom:
 * what the browser shows, and what was meant. */
async function patches(viewer, expected) {
  const found = [];
  for (let i = 0; i < expected.length; i++) {
    const x = Math.floor((i % 4 + 0.5) * 1920 / 4) - 4;
    const y = Math.floor((Math.floor(i / 4) + 0.5) * 1080 / 2) - 4;
    const bytes = await viewer.pixels(x, y, 8, 8);
    found.push([bytes[0], bytes[1], bytes[2]]);
  }
  return found;
}

test("colours, clicks and drags arrive where they should", async () => {
  const place = new Place();
  const desk = await new Desk(place).ready();
  const expected = [
    [0xff, 0x00, 0x00], [0x00, 0xff, 0x00], [0x00, 0x00, 0xff],
    [0xff, 0xff, 0x00], [0x00, 0xff, 0xff], [0xff, 0x00, 0xff],
    [0xff, 0xff, 0xff], [0x20, 0x40, 0x60]];
  try {
    const viewer = await browser.open(desk.run.link);
    desk.draw(...expected.map(([r, g, b], i) => `rect ${i % 4 * 480} ` +
      `${Math.floor(i / 4) * 540} 480 540 ` +
      Buffer.from([r, g, b]).toString("hex")));
    let worst = [];
    await until(async () => {
      const found = await patches(viewer, expected);
      worst = expected.map((want, i) =>
        Math.max(...want.map((v, c) => Math.abs(v - found[i][c]))));
      return Math.max(...worst) <= 4;
    }, "eight colours within 4 levels", 20000).catch(() => {});
    await shoot(viewer, "patches");
    assert.ok(Math.max(...worst) <= 4,
      `levels off, patch by patch: ${worst.join(" ")}`);

    for (const [w, h] of [[1920, 1080], [1280, 720], [701, 933]]) {
      await viewer.page.setViewportSize({ width: w, height: h });
      for (const [x, y] of [[100, 50], [1900, 1060], [960, 540]]) {
        const from = desk.text.length;
        await viewer.click(x, y);
        await desk.seen(/button 272 0/, "a click", from);
        const moves = [...desk.text.matchAll(/^motion (\d+) (\d+)/gm)];
        const [, mx, my] = moves.at(-1).map(Number);
        const near = Math.ceil(1920 / w) + 1;
        assert.ok(Math.abs(mx - x) <= near && Math.abs(my - y) <= near,
          `clicked ${x},${y} in ${w}x${h}, arrived at ${mx},${my}`);
        assert.match(desk.text.slice(from), /button 272 1[^]*button 272 0/);
      }
    }
    const from = desk.text.length;
    await viewer.drag(200, 200, 900, 600);
    await desk.seen(/button 272 0/, "the end of a drag", from);
    const seen = desk.text.slice(from);
    const held = /button 272 1([^]*)button 272 0/.exec(seen)?.[1] ?? "";
    const path_ = [...held.matchAll(/^motion (\d+) (\d+)/gm)];
    assert.ok(path_.length > 0, "moved while pressed");
    const [, ex, ey] = path_.at(-1).map(Number);
    assert.ok(Math.abs(ex - 900) <= 4 && Math.abs(ey - 600) <= 4,
      `the drag ended at ${ex},${ey}`);
    await viewer.page.mouse.wheel(0, 120);
    await desk.seen(/^axis 0 /m, "the wheel", from);
    await viewer.page.setViewportSize({ width: 1920, height: 1080 });
    await viewer.page.close();
  } finally {
    await desk.stop();
    place.remove();
  }
});

test("nothing that was held stays pressed", async () => {
  const place = new Place();
  const desk = await new Desk(place).ready();
  try {
    const viewer = await browser.open(desk.run.link);
    await viewer.click(500, 500);
    await viewer.page.keyboard.down("KeyQ");
    await viewer.page.keyboard.down("ShiftLeft");
    await desk.seen(/key 16 1[^]*key 42 1/, "two keys down");
    const from = desk.text.length;
    await viewer.page.close(); // as a tab that is closed, or a browser gone
    await desk.seen(/key 16 0/, "the key released", from);
    await desk.seen(/key 42 0/, "the shift key released", from);
  } finally {
    await desk.stop();
    place.remove();
  }
});

test("a picture comes back by itself", async () => {
  const place = new Place();
  const run = await new Run(place).ready();
  try {
    const viewer = await browser.open(run.link);
    const last = async () => (await viewer.statistics()).last?.sequence;
    const shows = async (what, act) => {
      await viewer.picture();
      const mark = `m${Math.floor(Math.random() * 1e9)}`;
      await act(mark);
      const old = await last();
      await until(async () => {
        await viewer.type("x");
        return await last() !== old;
      }, `a new picture after ${what}`);
    };
    await shows("kill -9 of hostd", () => run.replace("porthole-hostd"));
    await shows("kill -9 of deskd", () => run.replace("porthole-deskd"));
    await shows("kill -9 of sway", () => run.replace("sway"));
  } finally {
    await run.stop();
    place.remove();
  }
});

test("a wrong token, and the end, are said on the screen", async () => {
  const place = new Place();
  const run = await new Run(place).ready();
  try {
    const wrong = run.link.replace(/token=.*/, "token=wrong");
    const refused = await browser.open(wrong, false);
    await refused.screen("bad-token");
    await shoot(refused, "wrong-token");
    assert.match(await refused.page.evaluate(() => document.body.innerText),
      /link/i);
    await refused.page.close();

    const viewer = await browser.open(run.links[1]);
    await shoot(viewer, "view-only");
    await run.stop();
    await until(() => viewer.page.evaluate(() =>
      document.body.dataset.screen !== ""), "a message");
    await shoot(viewer, "over");
    await viewer.page.close();
  } finally {
    await run.stop();
    place.remove();
  }
});
