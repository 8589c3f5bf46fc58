// SPDX-License-Identifier: LGPL-2.1-or-later
// The page in a real Chromium, against the fake server.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { ALL_STAGES } from "../../web/statistics.js";
import { PATCH, PATCHES, cell, makeClip } from "./clip.mjs";
import { FakeServer, STAGES } from "./fake-server.mjs";
import { findChromium, launch } from "./harness.mjs";
import * as wire from "./wire.mjs";

const SIZE = { width: 640, height: 360 };

/**
 * Tries until it holds; the last failure is the test's.
 * @param {() => unknown} check
 */
async function eventually(check) {
  const deadline = Date.now() + 30000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => { setTimeout(resolve, 20); });
    }
  }
}

describe("the viewer", { skip: !findChromium() }, () => {
  let clip, other, browser, server, viewer;

  before(async () => {
    clip = await makeClip(SIZE.width, SIZE.height, 40);
    other = await makeClip(480, 320, 10);
    browser = await launch({
      viewport: SIZE, args: ["--host-resolver-rules=MAP box 127.0.0.1"],
    });
  });
  after(() => browser?.close());

  beforeEach(async () => {
    server = await new FakeServer(clip).listen();
  });
  afterEach(async () => {
    await viewer?.page.close();
    viewer = null;
    await server.close();
  });

  const said = (type) => server.said.filter((m) => m.type === type);

  for (const query of ["", "?thread=main", "?paint=canvas",
    "?thread=main&paint=canvas"]) {
    it(`shows, and a key changes its cell ${query}`, async () => {
      viewer = await browser.open(server.url.replace("/#", `/${query}#`));
      for (let n = 0; n < 5; n++) {
        const times = await viewer.keyTo("a", cell(n, SIZE.width));
        for (const name of ["decoded", "presented", "painted"]) {
          assert.ok(times[name] >= times.arrived, name);
        }
      }
      assert.deepEqual(said("key").slice(0, 2).map((m) =>
        [m.code, m.pressed]), [[30, 1], [30, 0]]);
      await eventually(() => assert.equal(said("ack").at(-1).sequence, 5));
      assert.deepEqual(viewer.errors, []);
    });
  }

  it("shows colours as they are", async () => {
    viewer = await browser.open(server.url);
    for (const [i, wanted] of PATCHES.entries()) {
      const middle = Math.floor(PATCH / 2);
      const got = await viewer.pixels(
        8 + i * (PATCH + 4) + middle, 8 + middle, 1, 1);
      wanted.forEach((value, channel) =>
        assert.ok(Math.abs(got[channel] - value) <= 4,
          `${wanted} came as ${[...got]}`));
    }
  });

  it("shows on screen what it decoded", async () => {
    viewer = await browser.open(server.url);
    // The patches, but for where the toolbar may be.
    const clipped = { x: 0, y: 0, width: 64, height: 40 };
    const shot = await viewer.page.screenshot({ clip: clipped });
    const { data } = await viewer.page.evaluate(async (png) => {
      const bytes = Uint8Array.from(atob(png), (c) => c.charCodeAt(0));
      const picture = await createImageBitmap(new Blob([bytes]));
      const context = new OffscreenCanvas(64, 40).getContext("2d");
      context.drawImage(picture, 0, 0);
      return { data: [...context.getImageData(24, 24, 1, 1).data] };
    }, shot.toString("base64"));
    assert.ok(data[0] > 250 && data[1] > 250 && data[2] > 250, `${data}`);
  });

  it("keeps the secret out of the address bar, and over a reload",
    async () => {
      viewer = await browser.open(server.url);
      assert.equal(new URL(viewer.page.url()).hash, "");
      await viewer.page.reload();
      await viewer.picture();
      assert.equal(said("auth").length, 2);
    });

  it("adds the stages up to the latency", async () => {
    viewer = await browser.open(server.url);
    await viewer.type("abcdefgh");
    const { latency, clock } = await eventually(async () => {
      const statistics = await viewer.statistics();
      assert.ok(statistics.latency && statistics.frames >= 2);
      return statistics;
    });
    assert.deepEqual(Object.keys(latency.stages), [...ALL_STAGES]);
    const sum = Object.values(latency.stages).reduce((a, b) => a + b);
    assert.ok(Math.abs(sum - latency.total) < 1, `${sum} ${latency.total}`);
    assert.ok(Math.abs(latency.stages.encode - STAGES[5] / 1000) < 1e-6);
    assert.ok(latency.stages.network > -clock.error - 0.5);
    assert.ok(clock.error >= clock.rtt / 2);
  });

  it("points right at any window size and mode", async () => {
    viewer = await browser.open(server.url);
    const points = [[0, 0], [1, 3], [639, 359], [320, 180], [637, 5]];
    for (const [width, height] of [[640, 360], [900, 400], [333, 700]]) {
      await viewer.page.setViewportSize({ width, height });
      for (const [x, y] of points) {
        server.said = [];
        await viewer.page.mouse.move(0, 0);
        await viewer.move(x, y);
        await eventually(() => {
          const last = said("pointer").at(-1) ?? {};
          assert.deepEqual([last.x, last.y, last.width, last.height],
            [x, y, 640, 360]);
        });
      }
    }
  });

  it("clicks, drags and scrolls where they should be", async () => {
    viewer = await browser.open(server.url);
    await viewer.click(100, 300, "right");
    await viewer.drag(50, 200, 350, 250);
    await viewer.page.mouse.wheel(0, 240);
    await eventually(() => assert.equal(said("wheel").length, 1));
    assert.deepEqual(said("button").map((m) => [m.code, m.pressed]),
      [[0x111, 1], [0x111, 0], [0x110, 1], [0x110, 0]]);
    const order = server.said.filter((m) =>
      ["pointer", "button"].includes(m.type));
    const before_ = (n) =>
      order[order.indexOf(said("button")[n]) - 1];
    assert.deepEqual([before_(0).x, before_(0).y], [100, 300]);
    assert.deepEqual([before_(2).x, before_(2).y], [50, 200]);
    assert.deepEqual([before_(3).x, before_(3).y], [350, 250]);
    assert.ok(said("wheel")[0].dy > 0);
  });

  it("releases keys when the window loses the keyboard", async () => {
    viewer = await browser.open(server.url);
    await viewer.page.keyboard.down("ShiftLeft");
    await eventually(() => assert.equal(said("key").length, 1));
    await viewer.page.evaluate(() => window.dispatchEvent(new Event("blur")));
    await eventually(() => assert.equal(said("release-all").length, 1));
  });

  it("takes another size and goes on", async () => {
    viewer = await browser.open(server.url);
    server.change(other);
    await eventually(async () => assert.deepEqual(
      await viewer.page.evaluate(() => window.porthole.picture()),
      { width: 480, height: 320 }));
    await viewer.keyTo("a", cell(0, 480));
    assert.equal((await viewer.statistics()).dropped, 0);
  });

  it("comes back by itself after a cut", async () => {
    viewer = await browser.open(server.url);
    server.cut();
    await eventually(() => assert.equal(said("auth").length, 2));
    await viewer.picture();
    await viewer.keyTo("a", cell(0, SIZE.width));
  });

  it("pauses while it is hidden and resumes from a keyframe", async () => {
    viewer = await browser.open(server.url);
    const hide = (hidden) => viewer.page.evaluate((value) => {
      Object.defineProperty(document, "hidden",
        { value, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
    await hide(true);
    await eventually(() => assert.equal(said("settings").at(-1).flags, 1));
    server.step();
    await hide(false);
    await eventually(() => assert.equal(said("keyframe").length, 1));
    assert.equal(said("settings").at(-1).flags, 0);
    await viewer.keyTo("a", cell(0, SIZE.width));
  });

  it("only looks on where it may not drive", async () => {
    server.mayDrive = false;
    viewer = await browser.open(server.url);
    await viewer.press("a");
    await viewer.click(10, 200);
    assert.ok(await viewer.page.locator("#badge").isVisible());
    await viewer.press("Control+Alt+Shift+KeyS");
    await viewer.page.locator("#statistics dt").first().waitFor();
    assert.deepEqual(["key", "pointer", "button"].flatMap(said), []);
  });

  it("hides the browser's cursor only over a picture it drives", async () => {
    viewer = await browser.open(server.url);
    const cursor = () => viewer.page.evaluate(() =>
      getComputedStyle(document.querySelector("#surface")).cursor);
    await eventually(async () => assert.equal(await cursor(), "none"));
    server.send(wire.notice("GOODBYE", 4, "over"));
    server.cut();
    await viewer.screen("session-over");
    assert.notEqual(await cursor(), "none");
  });

  it("says what is wrong", async () => {
    viewer = await browser.open(server.url.replace("secret", "no"), false);
    await viewer.screen("bad-token");
    await viewer.page.fill("#token input", server.url);
    await viewer.page.click("#token button");
    await viewer.picture();
    server.send(wire.notice("STATUS", 1, "away"));
    await viewer.screen("no-host");
    server.send(wire.notice("STATUS", 0, ""));
    await viewer.screen("");
    server.change({ ...clip, codec: "hev1.1.6.L93.B0" });
    await viewer.screen("decoder");
    server.change(clip);
    await viewer.picture();
    assert.ok(viewer.errors.every((e) => !/Content.Security/.test(e)));
  });

  it("says why plain http is not enough", async () => {
    viewer = await browser.open(server.url.replace("127.0.0.1", "box"),
      false);
    await viewer.screen("insecure");
    assert.match(await viewer.page.textContent("#screen"),
      new RegExp(`ssh -L \\d+:localhost:${server.port} box`));
  });
});
