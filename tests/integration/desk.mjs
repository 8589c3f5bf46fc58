// SPDX-License-Identifier: LGPL-2.1-or-later
// A desktop with a test window in it: `porthole run -- wl_patch`, told what to
// draw through a pipe, and what it saw of the user's input (see wl_patch.c).
import { execFileSync } from "node:child_process";
import {
  closeSync, existsSync, openSync, readFileSync, rmSync, writeSync,
} from "node:fs";
import path from "node:path";
import { Run, until } from "./porthole.mjs";

const PATCH = process.env.PORTHOLE_WL_PATCH ?? "";

export class Desk {
  /**
   * @param {import("./porthole.mjs").Place} place
   * @param {string[]} args of `porthole run`
   * @param {string} patch the program of the test window
   * @param {string} patchArgs of it
   */
  constructor(place, args = [], patch = PATCH, patchArgs = "") {
    this.commands = path.join(place.dir, "commands");
    this.events = path.join(place.dir, "events");
    rmSync(this.commands, { force: true }); // of another one in this place
    rmSync(this.events, { force: true });
    execFileSync("mkfifo", [this.commands]);
    // Opened for both, so that neither side waits for the other.
    this.pipe = openSync(this.commands, "r+");
    this.run = new Run(place, [...args, "--", "sh", "-c",
      `exec "${patch}" ${patchArgs} <"${this.commands}" >"${this.events}"`]);
  }

  async ready() {
    await this.run.ready();
    await this.seen(/^size \d+ \d+$/m, "the size of the test window");
    return this;
  }

  /** Draws: lines of commands, shown at once. */
  draw(...lines) {
    writeSync(this.pipe, [...lines, "commit", ""].join("\n"));
  }

  tell(line) {
    writeSync(this.pipe, `${line}\n`);
  }

  get text() {
    return existsSync(this.events) ? readFileSync(this.events, "utf8") : "";
  }

  /** Waits until an event like this one was written; from: where to look. */
  seen(pattern, what, from = 0) {
    return until(() => pattern.exec(this.text.slice(from)), what);
  }

  async stop() {
    const code = await this.run.stop();
    closeSync(this.pipe);
    return code;
  }
}
