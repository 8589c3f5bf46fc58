// SPDX-License-Identifier: LGPL-2.1-or-later
// porthole run --desktop xvfb in Chromium: seen, typed into, killed and back,
// and nothing of it stays. PORTHOLE_SHOTS=DIR keeps the screenshots.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { launch } from "../browser/harness.mjs";
import { Place, Run, until } from "./porthole.mjs";

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
