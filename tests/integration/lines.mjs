// SPDX-License-Identifier: LGPL-2.1-or-later
// What is typed ends up in a file, line by line: `porthole run` with a terminal
// in it, and then, after toGtk(), with a GTK application (entry.py).
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { RUN, SIZE, desktop } from "./desktops.mjs";
import { Place, Run, until } from "./porthole.mjs";

const ENTRY = new URL("entry.py", import.meta.url).pathname;

export class Lines {
  place = new Place();

  /**
   * @param {import("../browser/harness.mjs").Browser} browser
   * @param {string[]} args more of `porthole run`
   */
  async start(browser, args = []) {
    const { dir } = this.place;
    this.file = path.join(dir, "typed");
    this.run = await new Run(this.place, [...RUN, ...args, "--", "sh", "-c",
      `${desktop.terminal.join(" ")} -e sh -c 'exec cat > ${this.file}'; ` +
      `exec ${ENTRY} ${dir}/entered ${SIZE.width} ${SIZE.height}`],
    { LANG: "C.UTF-8", LC_ALL: "C.UTF-8" }).ready();
    this.viewer = await browser.open(this.run.link);
    await this.#takes(this.file);
    return this;
  }

  /** Ends the terminal; from now on it is a GTK application. */
  async toGtk() {
    const { keyboard } = this.viewer.page;
    await keyboard.press("Control+KeyD");
    this.file = path.join(this.place.dir, "entered");
    await this.#takes(this.file);
  }

  /** Waits for the program that writes it, and for what it shows. */
  async #takes(file) {
    await until(() => existsSync(file), `${path.basename(file)} to be there`);
    // The keyboard's where there is no window manager.
    await this.viewer.click(SIZE.width / 2, SIZE.height / 2);
  }

  get text() {
    return existsSync(this.file) ? readFileSync(this.file, "utf8") : "";
  }

  /** The next line that comes. */
  async line(type) {
    const from = this.text.length;
    await type();
    await this.viewer.press("Enter");
    await until(() => this.text.indexOf("\n", from) >= 0, "a line");
    return this.text.slice(from, -1);
  }

  /** Of programs of this desktop. */
  get env() {
    return this.place.env(desktop.env(path.join(this.run.dir, "desktop"),
      this.run));
  }

  async stop() {
    await this.viewer?.page.close();
    const code = await this.run?.stop();
    this.place.remove();
    return code;
  }
}
