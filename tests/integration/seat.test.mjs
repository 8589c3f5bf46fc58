// SPDX-License-Identifier: LGPL-2.1-or-later
// All of a desktop but its picture and pointer, in Chromium on the real thing:
// typed text by layout, what no layout has, the clipboard both ways, the size,
// and files.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { launch } from "../browser/harness.mjs";
import { SIZE, desktop, needs, shoot } from "./desktops.mjs";
import { Lines } from "./lines.mjs";
import { until } from "./porthole.mjs";

let browser;

before(async () => {
  browser = await launch({ viewport: SIZE });
  await browser.context.grantPermissions(
    ["clipboard-read", "clipboard-write"]);
});
after(() => browser?.close());

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
    layout === "us" ? {} : needs("layouts"), async () => {
      const lines = new Lines();
      try {
        await lines.start(browser, ["--layout", layout]);
        const typed = () => lines.line(() => keys(lines.viewer, ...strokes));
        assert.equal(await typed(), text);
        await lines.toGtk();
        assert.equal(await typed(), text);
      } finally {
        await lines.stop();
      }
    });
}

test("text, locks, clipboard, files", async (t) => {
  const lines = new Lines();
  const { place } = lines;
  try {
    await lines.start(browser);
    const { viewer } = lines;

    const odd = async () => {
      const text = "naïve 😀👍🏽 日本語 ё";
      assert.equal(await lines.line(() =>
        viewer.page.keyboard.insertText(text)), text);
      assert.equal(await lines.line(() => viewer.type("abc")), "abc");
    };
    await t.test("text that is no key", odd);

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

    await t.test("copied there, pasted here", async () => {
      const child = spawn(desktop.copy[0],
        [...desktop.copy.slice(1), desktop.textType],
        { env: lines.env, stdio: ["pipe", "ignore", "ignore"] });
      child.stdin.end("from there ✓");
      await until(() => viewer.page.evaluate(() =>
        navigator.clipboard.readText().then((s) => s === "from there ✓")),
      "the text in the browser");
    });

    await t.test("copied here, pasted there", async () => {
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

    await t.test("an image, both ways", async () => {
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
      await shoot(viewer, "file");
      assert.deepEqual(readdirSync(folder).length, 2);
    });

    await t.test("text that is no key, into GTK", async () => {
      await lines.toGtk();
      await odd();
      await shoot(viewer, "gtk");
    });
    assert.deepEqual(viewer.errors, []);
  } finally {
    await lines.stop();
  }
});

test("the desktop takes the window's size", needs("resize"), async () => {
  const lines = new Lines();
  try {
    await lines.start(browser);
    const { page } = lines.viewer;
    const size = () => page.evaluate(() => window.porthole.picture());
    await page.locator("#resize").evaluate((button) => button.click());
    // Some, for a picture or a wish is lost now and then where all are busy.
    for (let i = 0; i < 8; i++) {
      const [width, height] = i % 2 ? [1400, 800] : [1000, 700];
      await page.setViewportSize({ width, height });
      await until(async () => {
        const now = await size();
        return now.width === width && now.height === height;
      }, `a desktop of ${width}x${height}`);
    }
    assert.equal(await lines.line(() => lines.viewer.type("still here")),
      "still here");
    await shoot(lines.viewer, "resized");
    await page.setViewportSize(SIZE);
  } finally {
    await lines.stop();
  }
});
