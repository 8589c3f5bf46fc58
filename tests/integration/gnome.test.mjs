// SPDX-License-Identifier: LGPL-2.1-or-later
// porthole run --desktop gnome in Chromium: seen, typed into in its layout and
// beyond it, clicked, killed and back, and nothing of it stays.
// PORTHOLE_SHOTS=DIR keeps the screenshots.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { launch } from "../browser/harness.mjs";
import { Place, Run, until } from "./porthole.mjs";

const shots = process.env.PORTHOLE_SHOTS;
const place = new Place();
const missing = ["gnome-shell", "mutter", "pipewire", "wireplumber",
  "dbus-daemon"].filter((program) => {
  try {
    execFileSync("sh", ["-c", `command -v ${program}`]);
    return false;
  } catch {
    return true;
  }
});
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
  const bytes = await viewer.pixels(300, 130, 400, 60);
  return bytes.some((b, i) => b !== bytes[i % 4]);
}

async function shoot(viewer, name) {
  if (shots) {
    await viewer.page.screenshot({ path: path.join(shots, `${name}.png`) });
  }
}

for (const [name, compositor] of [["gnome", "gnome-shell"],
  ["mutter", "mutter"]]) {
  test(`${name}: seen, typed into, killed and back, gone`, async (t) => {
    if (missing.length > 0) {
      t.skip(`not installed: ${missing.join(", ")}`);
      return;
    }
    const run = await new Run(place,
      ["--desktop", name, "--size", "1280x720"]).ready();
    const { dir } = run;
    try {
      for (const part of ["dbus-daemon", "pipewire", compositor, "foot"]) {
        assert.match(run.err, new RegExp(`starting ${part} \\.\\.\\. ok`));
      }
      const viewer = await browser.open(run.link);
      assert.deepEqual(await viewer.page.evaluate(() =>
        window.porthole.picture()), { width: 1280, height: 720 });
      await until(() => drawn(viewer), "the prompt of a shell");
      assert.equal(await written(viewer, "echo $((6*7)) 'aB{}[]|~#&?'",
        `${name}-typed`), "42 aB{}[]|~#&?\n");
      await viewer.click(500, 400);
      await shoot(viewer, name);
      await run.replace(compositor);
      await until(() => run.find("foot"), "the terminal");
      await until(async () => {
        await viewer.picture();
        return drawn(viewer);
      }, `a picture after kill -9 of ${compositor}`);
      assert.match(await written(viewer, "echo again", `${name}-again`),
        /again/);
      await viewer.page.close();
      const family = run.family();
      assert.equal(await run.stop(), 0);
      await until(() => run.remains(family).length === 0,
        "its processes to end");
      assert.equal(existsSync(dir), false);
    } finally {
      await run.stop();
    }
  });
}
