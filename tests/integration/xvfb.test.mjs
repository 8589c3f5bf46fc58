// SPDX-License-Identifier: LGPL-2.1-or-later
// What only porthole run --desktop xvfb has: a window manager where there is
// one, and a cookie.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync, mkdirSync, readFileSync, writeFileSync,
} from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { Place, Run, measure, until } from "./porthole.mjs";

const place = new Place();
after(() => place.remove());

test("the window manager that is found is started", async () => {
  const bin = path.join(place.dir, "bin");
  mkdirSync(bin);
  writeFileSync(path.join(bin, "openbox"), "#!/bin/sh\nexec sleep 1000\n",
    { mode: 0o755 });
  const run = await new Run(place, ["--desktop", "xvfb", "--size", "640x480"],
    { PATH: `${bin}:${process.env.PATH}` }).ready();
  try {
    assert.match(run.err, /starting openbox \.\.\. ok/);
    const seen = await measure(place, ["-d", "1", run.link]);
    assert.deepEqual([seen.width, seen.height], [640, 480]);
  } finally {
    assert.equal(await run.stop(), 0);
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
