// SPDX-License-Identifier: LGPL-2.1-or-later
// All of a desktop but its picture, in Chromium on the real thing: typed text
// by layout, what no layout has, the clipboard both ways, the size, files, and
// keys that nobody lets go. A row a desktop, with what it can do: DESKTOPS.
// PORTHOLE_SHOTS=DIR keeps the screenshots.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import {
  existsSync, readFileSync, readdirSync,
} from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { launch } from "../browser/harness.mjs";
import { Desk } from "./desk.mjs";
import { Place, Run, descendants, until } from "./porthole.mjs";

const SIZE = { width: 1280, height: 720 };
const shots = process.env.PORTHOLE_SHOTS;

/**
 * layouts: the desktop's is --layout's. copy and paste: programs of the desktop
 * that do, given the environment in which they reach it.
 */
const DESKTOPS = {
  sway: {
    terminal: ["foot"], layouts: true, text: true, resize: true, wayland: true,
    copy: ["wl-copy", "--type"], paste: ["wl-paste", "--no-newline", "--type"],
    textType: "text/plain;charset=utf-8",
    env: (dir) => ({
      XDG_RUNTIME_DIR: dir,
      WAYLAND_DISPLAY: readdirSync(dir).find((entry) =>
        /^wayland-\d+$/.test(entry)),
    }),
  },
  xvfb: {
    terminal: ["xterm", "-maximized"], layouts: true, text: true, resize: true,
    copy: ["xclip", "-selection", "clipboard", "-t"],
    paste: ["xclip", "-selection", "clipboard", "-o", "-t"],
    textType: "UTF8_STRING",
    env: (dir, run) => ({
      XAUTHORITY: path.join(dir, "Xauthority"),
      DISPLAY: /--display\0(:\d+)/.exec(readFileSync(
        `/proc/${run.find("porthole-deskd")}/cmdline`, "utf8"))?.[1],
    }),
  },
};
const name = process.env.PORTHOLE_DESKTOP ?? "sway";
const desktop = DESKTOPS[name];
const skip = (what) => ({ skip: desktop[what] ? false : `not by ${name}` });

let browser;

before(async () => {
  browser = await launch({ viewport: SIZE });
  await browser.context.grantPermissions(
    ["clipboard-read", "clipboard-write"]);
});
after(() => browser?.close());

async function shoot(viewer, title) {
  if (shots) await viewer.screenshot(path.join(shots, `${title}.png`));
}

/** `porthole run`, in it a terminal whose lines end up in a file. */
class Lines {
  place = new Place();

  async start(args = []) {
    const file = path.join(this.place.dir, "typed");
    const ready = path.join(this.place.dir, "ready");
    this.run = await new Run(this.place, ["--desktop", name, "--size",
      `${SIZE.width}x${SIZE.height}`, ...args, "--", ...desktop.terminal, "-e",
      "sh", "-c", `touch ${ready}; exec cat > ${file}`],
    { LANG: "C.UTF-8", LC_ALL: "C.UTF-8" }).ready();
    this.file = file;
    this.viewer = await browser.open(this.run.link);
    await until(() => existsSync(ready), "the terminal");
    await this.viewer.click(100, 100); // X11 without a window manager
    return this;
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

/** Keys by their places, "AltRight+KeyQ" together. */
async function keys(viewer, ...strokes) {
  for (const stroke of strokes) {
    const codes = stroke.split("+");
    for (const code of codes) await viewer.page.keyboard.down(code);
    for (const code of codes.reverse()) await viewer.page.keyboard.up(code);
  }
}

const LAYOUTS = {
  us: [["KeyZ", "Shift+Digit2", "Slash"], "z@/"],
  de: [["KeyZ", "AltRight+KeyQ", "Semicolon", "AltRight+KeyE", "Equal", "KeyE"],
    "y@ö€é"],
  fr: [["KeyQ", "Digit2", "AltRight+Digit0", "BracketLeft", "KeyE"], "aé@ê"],
};

for (const [layout, [strokes, text]] of Object.entries(LAYOUTS)) {
  test(`keys of layout ${layout} arrive`,
    layout === "us" ? {} : skip("layouts"), async () => {
      const lines = new Lines();
      try {
        await lines.start(["--layout", layout]);
        assert.equal(await lines.line(() => keys(lines.viewer, ...strokes)),
          text);
      } finally {
        await lines.stop();
      }
    });
}

test("text, locks, clipboard, files", async (t) => {
  const lines = new Lines();
  const { place } = lines;
  try {
    await lines.start();
    const { viewer } = lines;

    await t.test("text that is no key", skip("text"), async () => {
      const odd = "naïve 😀👍🏽 日本語 ё";
      assert.equal(await lines.line(() =>
        viewer.page.keyboard.insertText(odd)), odd);
      assert.equal(await lines.line(() => viewer.type("abc")), "abc");
    });

    await t.test("CapsLock, which the browser turned on", async () => {
      assert.equal(await lines.line(async () => {
        await viewer.page.evaluate(() => {
          const event = new KeyboardEvent("keydown",
            { code: "KeyA", key: "A", modifierCapsLock: true });
          window.dispatchEvent(event);
          window.dispatchEvent(new KeyboardEvent("keyup", { code: "KeyA" }));
        });
        await viewer.type("b");
      }), "Ab");
    });

    await t.test("copied there, pasted here", skip("copy"), async () => {
      const child = spawn(desktop.copy[0],
        [...desktop.copy.slice(1), desktop.textType],
        { env: lines.env, stdio: ["pipe", "ignore", "ignore"] });
      child.stdin.end("from there ✓");
      await until(() => viewer.page.evaluate(() =>
        navigator.clipboard.readText().then((s) => s === "from there ✓")),
      "the text in the browser");
    });

    await t.test("copied here, pasted there", skip("paste"), async () => {
      const large = "0123456789abcdef".repeat(60000);
      for (const text of ["from here ✓", large]) {
        await viewer.page.evaluate(async (s) => {
          await navigator.clipboard.writeText(s);
          window.dispatchEvent(new Event("focus"));
        }, text);
        await until(() => {
          try {
            return execFileSync(desktop.paste[0],
              [...desktop.paste.slice(1), "text/plain"],
              { env: lines.env, timeout: 5000, maxBuffer: 1 << 26,
                stdio: ["ignore", "pipe", "ignore"] }).toString() === text;
          } catch {
            return false;
          }
        }, "the text on the desktop");
      }
    });

    await t.test("an image, both ways", skip("copy"), async () => {
      const paste = () => execFileSync(desktop.paste[0],
        [...desktop.paste.slice(1), "image/png"],
        { env: lines.env, maxBuffer: 1 << 26,
          stdio: ["ignore", "pipe", "ignore"] });
      await viewer.page.evaluate(async () => {
        const canvas = new OffscreenCanvas(300, 200);
        canvas.getContext("2d").fillRect(0, 0, 50, 50);
        const blob = await canvas.convertToBlob();
        await navigator.clipboard.write(
          [new ClipboardItem({ "image/png": blob })]);
        window.dispatchEvent(new Event("focus"));
      });
      const png = await until(() => {
        try { return paste(); } catch { return null; }
      }, "the image on the desktop");
      assert.equal(png.readUInt32BE(16), 300);
      const child = spawn(desktop.copy[0],
        [...desktop.copy.slice(1), "image/png"],
        { env: lines.env, stdio: ["pipe", "ignore", "ignore"] });
      await viewer.page.evaluate(() => navigator.clipboard.writeText("old"));
      child.stdin.end(png);
      await until(() => viewer.page.evaluate(async () => {
        const [item] = await navigator.clipboard.read();
        return item?.types.includes("image/png");
      }), "the image in the browser");
    });

    await t.test("a file that is dropped", async () => {
      const folder = path.join(place.dir, "Downloads");
      for (const wanted of ["a file.txt", "a file (1).txt"]) {
        await viewer.page.evaluate(() => {
          const data = new DataTransfer();
          data.items.add(new File(["x".repeat(500000)], "a file.txt"));
          window.dispatchEvent(new DragEvent("drop",
            { dataTransfer: data, cancelable: true }));
        });
        await until(() => existsSync(path.join(folder, wanted)), wanted);
        assert.equal(readFileSync(path.join(folder, wanted)).length, 500000);
      }
      await shoot(viewer, `${name}-file`);
      assert.deepEqual(readdirSync(folder).length, 2);
    });
    assert.deepEqual(viewer.errors, []);
  } finally {
    await lines.stop();
  }
});

test("the desktop takes the window's size", skip("resize"), async () => {
  const lines = new Lines();
  try {
    await lines.start();
    const { page } = lines.viewer;
    const size = () => page.evaluate(() => window.porthole.picture());
    await page.locator("#resize").evaluate((button) => button.click());
    for (const [width, height] of [[1000, 700], [1400, 800]]) {
      await page.setViewportSize({ width, height });
      await until(async () => {
        const now = await size();
        return now.width === width && now.height === height;
      }, `a desktop of ${width}x${height}`);
    }
    assert.equal(await lines.line(() => lines.viewer.type("still here")),
      "still here");
    await shoot(lines.viewer, `${name}-resized`);
    await page.setViewportSize(SIZE);
  } finally {
    await lines.stop();
  }
});

test("keys that a stopped or killed browser held are released",
  skip("wayland"), async () => {
    const place = new Place();
    const desk = await new Desk(place).ready();
    const other = await launch({ viewport: SIZE });
    const signal = (s) => {
      for (const { pid, name: program } of descendants(process.pid)) {
        if (!/chrom/.test(program)) continue;
        const line = readFileSync(`/proc/${pid}/cmdline`, "latin1");
        if (line.includes(other.profile)) process.kill(pid, s);
      }
    };
    try {
      const viewer = await other.open(desk.run.link);
      await viewer.click(500, 500);
      await viewer.page.keyboard.down("KeyQ");
      await desk.seen(/key 16 1/, "a key down");
      const from = desk.text.length;
      signal("SIGSTOP"); // its connection stays
      await desk.seen(/key 16 0/, "the key released", from);
      signal("SIGKILL");
    } finally {
      await other.close().catch(() => {});
      await desk.stop();
      place.remove();
    }
  });

