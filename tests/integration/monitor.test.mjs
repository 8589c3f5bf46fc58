// SPDX-License-Identifier: LGPL-2.1-or-later
// A Mutter that `porthole run` started has the monitor that deskd makes, of the
// size that was asked for, also while nobody looks, and again when the
// compositor or deskd died.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { Place, Run, until } from "./porthole.mjs";

/** What Mutter says of its monitors; nothing while it is not there. */
function monitors(run) {
  const bus = readFileSync(
    `/proc/${run.find("porthole-deskd")}/environ`, "utf8").split("\0")
    .find((entry) => entry.startsWith("DBUS_SESSION_BUS_ADDRESS="))
    .replace(/^[^=]*=/, "");
  const where = "org.gnome.Mutter.DisplayConfig";
  try {
    return execFileSync("dbus-send", [`--bus=${bus}`, "--print-reply",
      `--dest=${where}`, `/${where.replaceAll(".", "/")}`,
      `${where}.GetCurrentState`],
    { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return "";
  }
}

test("a monitor without a viewer", async () => {
  const place = new Place();
  const run = await new Run(place,
    ["--desktop", "mutter", "--size", "1280x720"]).ready();
  const has = () => /"1280x720@/.test(monitors(run));
  try {
    await until(has, "a monitor");
    // Longer than a picture is waited for, and than the pause for nobody.
    await new Promise((resolve) => { setTimeout(resolve, 5000); });
    assert.ok(has(), "it is still there");
    for (const what of ["mutter", "porthole-deskd"]) {
      const before = run.find(what);
      process.kill(before, "SIGKILL");
      await until(() => {
        const now = run.find(what);
        return now && now !== before && has();
      }, `a monitor with the next ${what}`);
    }
  } finally {
    await run.stop();
    place.remove();
  }
});
