// SPDX-License-Identifier: LGPL-2.1-or-later
// Drives the viewer in a real Chromium: launches one with a profile of its own,
// opens a porthole URL, types, clicks, reads decoded pixels, and times when
// they change (web/debug.js). Pixels and coordinates are the picture's.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";

/** In which Chromium does not hold a page's work back after a key. */
export const NO_DEFER = "--disable-features=DeferRendererTasksAfterInput";

const ARGS = [
  "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update",
  "--disable-sync", "--autoplay-policy=no-user-gesture-required",
];
const PATIENCE = 60000;

/** The browser, or null where there is none: PORTHOLE_CHROMIUM or Debian's. */
export function findChromium() {
  const wanted = process.env.PORTHOLE_CHROMIUM ?? "/usr/bin/chromium";
  return existsSync(wanted) ? wanted : null;
}

/**
 * @param {object} [options]
 * @param {{width: number, height: number}} [options.viewport]
 * @param {number} [options.ratio] devicePixelRatio
 * @param {boolean} [options.defer] false: Chromium with NO_DEFER
 * @param {string[]} [options.args] more of the browser's arguments
 */
export async function launch({
  viewport = { width: 1280, height: 720 }, ratio = 1, defer = true, args = [],
} = {}) {
  const executablePath = findChromium();
  if (!executablePath) throw new Error("no Chromium: see PORTHOLE_CHROMIUM");
  const profile = mkdtempSync(path.join(os.tmpdir(), "porthole-chromium-"));
  const forget = () => rmSync(profile,
    { recursive: true, force: true, maxRetries: 5 });
  process.once("exit", forget);
  const context = await chromium.launchPersistentContext(profile, {
    executablePath, headless: true, viewport, deviceScaleFactor: ratio,
    chromiumSandbox: process.getuid?.() !== 0,
    args: [...ARGS, ...defer ? [] : [NO_DEFER], ...args],
  });
  context.setDefaultTimeout(PATIENCE);
  await context.addInitScript(() => {
    // When keys went down, by the browser's own time stamps.
    const keys = [];
    Object.defineProperty(window, "portholeKeys", { value: keys });
    window.addEventListener("keydown", (event) =>
      keys.push({ code: event.code, at: event.timeStamp }), true);
  });
  return new Browser(context, () => {
    process.off("exit", forget);
    forget();
  }, profile);
}

export class Browser {
  /** @param {import("playwright-core").BrowserContext} context */
  constructor(context, forget, profile) {
    this.context = context;
    this.forget = forget;
    this.profile = profile;
  }

  /**
   * @param {string} url
   * @param {boolean} [picture] wait for one
   */
  async open(url, picture = true) {
    const viewer = new Viewer(await this.context.newPage());
    await viewer.page.goto(url);
    if (picture) await viewer.picture();
    return viewer;
  }

  async close() {
    await this.context.close();
    this.forget();
  }
}

export class Viewer {
  /** @type {string[]} what the page complained of */
  errors = [];

  /** @param {import("playwright-core").Page} page */
  constructor(page) {
    this.page = page;
    page.on("pageerror", (error) => this.errors.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") this.errors.push(message.text());
    });
  }

  /** Waits until a picture was presented and no message hides it. */
  async picture() {
    const deadline = Date.now() + PATIENCE;
    await this.screen("");
    while (!(await this.statistics()).last) {
      if (Date.now() > deadline) throw new Error("no picture was presented");
      await this.page.waitForTimeout(20);
    }
  }

  /** Waits for a message, by its id in web/messages.js; "" for none. */
  async screen(id) {
    await this.page.waitForFunction((wanted) =>
      document.body.dataset.screen === wanted && "porthole" in window, id);
  }

  /** The Snapshot of web/statistics.js, and `last`, the newest frame. */
  statistics() {
    return this.page.evaluate(() => window.porthole.statistics());
  }

  /** RGBA bytes of the newest decoded picture. */
  async pixels(x, y, width, height) {
    return Buffer.from(await this.page.evaluate(async (rect) =>
      Array.from(await window.porthole.pixels(...rect)),
    [x, y, width, height]));
  }

  /**
   * Watches a rectangle; the returned function gives, once its pixels
   * changed, that frame's times in ms of the page's clock: captured, sent,
   * arrived, decoded, noticed (by the page's player), presented (to the
   * compositor), painted (seen in an animation frame).
   */
  async watch(x, y, width, height) {
    const handle = await this.page.evaluateHandle(
      (rect) => window.porthole.watch(...rect), [x, y, width, height]);
    return async (timeout = PATIENCE) => {
      const change = await handle.evaluate((watch, ms) => Promise.race([
        watch.changed,
        new Promise((resolve) => { setTimeout(resolve, ms, null); }),
      ]), timeout);
      await handle.dispose();
      if (!change) throw new Error(`no change within ${timeout} ms`);
      return change;
    };
  }

  /**
   * Presses a key and waits until a rectangle changes: ms from the key to
   * each of watch()'s times.
   */
  async keyTo(key, { x, y, width, height }) {
    const changed = await this.watch(x, y, width, height);
    await this.page.keyboard.press(key);
    const change = await changed();
    const at = await this.page.evaluate(() => window.portholeKeys.at(-1).at);
    return Object.fromEntries(Object.entries(change)
      .filter(([name]) => name !== "sequence")
      .map(([name, time]) => [name, time - at]));
  }

  /** Types as on a US keyboard: playwright presses no Shift by itself, and
   * what travels is the physical key. */
  async type(text) {
    const { keyboard } = this.page;
    for (const letter of text) {
      const shift = /[A-Z~!@#$%^&*()_+{}|:"<>?]/.test(letter);
      if (shift) await keyboard.down("Shift");
      await keyboard.press(letter === "\n" ? "Enter" : letter);
      if (shift) await keyboard.up("Shift");
    }
  }

  press(key) {
    return this.page.keyboard.press(key);
  }

  /** The middle of a picture's pixel, in the window. */
  place(x, y) {
    return this.page.evaluate(async ([px, py]) => {
      // A window of another size is laid out with its next frame.
      const size = `${innerWidth} ${innerHeight} ${devicePixelRatio}`;
      if (window.portholeSize !== size) {
        await new Promise((resolve) => {
          requestAnimationFrame(() => requestAnimationFrame(resolve));
        });
        window.portholeSize = size;
      }
      const box = document.querySelector("#surface").getBoundingClientRect();
      const { width, height } = window.porthole.picture();
      return {
        x: box.left + (px + 0.5) * box.width / width,
        y: box.top + (py + 0.5) * box.height / height,
      };
    }, [x, y]);
  }

  async move(x, y) {
    const at = await this.place(x, y);
    await this.page.mouse.move(at.x, at.y);
  }

  /** @param {"left" | "right" | "middle"} [button] */
  async click(x, y, button = "left") {
    await this.move(x, y);
    await this.page.mouse.down({ button });
    await this.page.mouse.up({ button });
  }

  async drag(fromX, fromY, toX, toY, steps = 10) {
    await this.move(fromX, fromY);
    await this.page.mouse.down();
    const to = await this.place(toX, toY);
    await this.page.mouse.move(to.x, to.y, { steps });
    await this.page.mouse.up();
  }

  /** @param {string} file a PNG */
  screenshot(file) {
    return this.page.screenshot({ path: file });
  }
}
