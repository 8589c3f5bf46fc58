// SPDX-License-Identifier: LGPL-2.1-or-later
// Two outputs of one sway in two pages of one Chromium: each has its picture,
// its pointer, its size; one that goes away leaves the other alone.
// PORTHOLE_SHOTS=DIR keeps the screenshots.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { launch } from "../browser/harness.mjs";
import { Desk } from "./desk.mjs";
import { Place, until } from "./porthole.mjs";

const shots = process.env.PORTHOLE_SHOTS;
const FIRST = "HEADLESS-1", SECOND = "HEADLESS-2";
const WIDTH = 800, HEIGHT = 600;
const GREEN = `rect 0 0 ${WIDTH} ${HEIGHT} 00ff00`;
const place = new Place();
let browser, desk, one, two;

async function shoot(viewer, name) {
  if (shots) await viewer.screenshot(path.join(shots, `${name}.png`));
}

function sway(...command) {
  return execFileSync("swaymsg", ["-s",
    path.join(desk.run.dir, "desktop", "sway.sock"), ...command],
  { encoding: "utf8" });
}

/** The window with the test picture goes there, and is all of it. */
function moveTo(output) {
  sway("[app_id=.*]", "move", "container", "to", "output", output);
  sway("[app_id=.*]", "focus");
}

/** Where the outputs are, by name. */
function layout() {
  return Object.fromEntries(JSON.parse(sway("-r", "-t", "get_outputs"))
    .filter((o) => o.active).map((o) => [o.name, o.rect]));
}

/** A viewer sees the green of the test picture, or none of it. */
function sees(viewer, green, what) {
  return until(async () => {
    const [r, g, b] = await viewer.pixels(400, 300, 1, 1);
    return (g > 200 && r < 60 && b < 60) === green;
  }, what);
}

/** A click by a viewer arrives in the window where it was aimed at. */
async function clicks(viewer, x, y) {
  const from = desk.text.length;
  await viewer.click(x, y);
  await desk.seen(/button 272 0/, `a click at ${x},${y}`, from);
  const [, mx, my] = [...desk.text.matchAll(/^motion (\d+) (\d+)/gm)]
    .at(-1).map(Number);
  assert.ok(Math.abs(mx - x) <= 2 && Math.abs(my - y) <= 2,
    `clicked ${x},${y}, arrived at ${mx},${my}`);
}

before(async () => {
  browser = await launch({ viewport: { width: 1000, height: 700 } });
  desk = await new Desk(place,
    ["--outputs", "2", "--size", `${WIDTH}x${HEIGHT}`]).ready();
  const link = new URL(desk.run.link);
  one = await browser.open(link.href);
  link.searchParams.set("output", SECOND);
  two = await browser.open(link.href);
});
after(async () => {
  await browser?.close();
  await desk?.stop();
  place.remove();
});

test("two pages show two outputs, and each points at its own", async () => {
  moveTo(FIRST);
  desk.draw(GREEN);
  await sees(one, true, "the window on the first output");
  await sees(two, false, "the second one without it");
  await clicks(one, 600, 400);
  moveTo(SECOND);
  await sees(two, true, "the window on the second output");
  await sees(one, false, "the first one without it");
  await clicks(two, 600, 400);
  const from = desk.text.length;
  await one.click(100, 100);
  await clicks(two, 100, 100);
  assert.equal(desk.text.slice(from).match(/button 272 1/g).length, 1,
    "a click on the first output arrived on the second");
  await shoot(one, "output-1");
  await shoot(two, "output-2");
  const log = readFileSync(
    path.join(desk.run.dir, "porthole-hostd.log"), "utf8");
  for (const name of [FIRST, SECOND]) {
    assert.match(log, new RegExp(`is ${name} of `), "a guest of the host");
  }
});

test("one that grows does not cover the other", async () => {
  await one.page.bringToFront();
  await one.page.click("#resize");
  await until(() => layout()[FIRST].width > WIDTH, "the first one's new size");
  const { [FIRST]: a, [SECOND]: b } = layout();
  assert.ok(b.x >= a.x + a.width, `${b.x} in ${a.x}+${a.width}`);
  assert.deepEqual([b.width, b.height], [WIDTH, HEIGHT]);
  await two.page.bringToFront();
  await clicks(two, 10, 300);
});

/** Until input is connected again. */
async function clicksAgain(viewer) {
  await until(async () => {
    const from = desk.text.length;
    await viewer.click(400, 300);
    return /button 272 0/.test(desk.text.slice(from));
  }, "a click on an output that is back");
  await clicks(viewer, 700, 500);
}

test("one that is taken away is missed by its viewers only", async (t) => {
  sway("output", SECOND, "disable");
  if (SECOND in layout()) {
    t.skip("sway before 1.8 cannot turn off an output without a screen");
    return;
  }
  await two.screen("no-desktop");
  await one.page.bringToFront();
  moveTo(FIRST);
  desk.draw("rect 0 0 1000 700 00ff00");
  await sees(one, true, "the window on the output that is left");
  await clicks(one, 600, 100);
  await shoot(two, "output-gone");
  sway("output", SECOND, "enable");
  await two.page.bringToFront();
  await two.screen("");
  moveTo(SECOND);
  desk.draw(GREEN);
  await sees(two, true, "the window on the output that is back");
  await clicksAgain(two);
});

test("a page changes to the other one, and an unknown one is the first",
  async () => {
    await one.page.bringToFront();
    await one.page.getByRole("button", { name: SECOND }).click();
    await sees(one, true, "the second output in the first page");
    await shoot(one, "output-chosen");
    assert.match(one.page.url(), /[?]output=HEADLESS-2$/);
    assert.match(await one.page.title(), /^HEADLESS-2 – /);
    await clicks(one, 200, 200);
    const link = new URL(desk.run.link);
    link.searchParams.set("output", "DP-7");
    const lost = await browser.open(link.href);
    assert.match(await lost.page.title(), /^HEADLESS-1 – /);
    assert.match(await lost.page.innerText("#toast"), /no output DP-7/);
    assert.deepEqual([...one.errors, ...two.errors], []);
  });
