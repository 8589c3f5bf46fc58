// SPDX-License-Identifier: LGPL-2.1-or-later
// The page's part of clipboard, pointer, touch, typing and files, in a real
// Chromium against the fake server.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { makeClip } from "./clip.mjs";
import { FakeServer } from "./fake-server.mjs";
import { findChromium, launch } from "./harness.mjs";
import * as wire from "./wire.mjs";

const SIZE = { width: 1280, height: 720 };

/** @param {() => unknown} check tried until it holds */
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

/** A red square. @param {number} side */
function shape(side) {
  return { width: side, height: side, hotX: 1, hotY: 2,
    data: Buffer.alloc(side * side * 4, Buffer.from([255, 0, 0, 255])) };
}

describe("the page's seat", { skip: !findChromium() }, () => {
  let clip, browser, server, viewer, page;

  before(async () => {
    clip = await makeClip(640, 360, 10);
    browser = await launch({ viewport: SIZE });
    await browser.context.grantPermissions(
      ["clipboard-read", "clipboard-write"]);
  });
  after(() => browser?.close());

  beforeEach(async () => {
    server = await new FakeServer(clip).listen();
    server.may = 127;
    viewer = await browser.open(server.url);
    page = viewer.page;
  });
  afterEach(async () => {
    assert.deepEqual(viewer.errors, []);
    await page.close();
    await server.close();
  });

  const said = (type) => server.said.filter((m) => m.type === type);
  const style = () => page.evaluate(() =>
    document.querySelector("#surface").style.cursor);
  const overlays = () => page.locator(".pointer").count();

  it("has one pointer: in the picture, its own, or laid over it", async () => {
    assert.equal(await style(), "none");
    server.send(wire.cursor(1, { shape: shape(16) }));
    await eventually(async () =>
      assert.match(await style(), /^url\("data:image\/png.*\) 1 2, default$/));
    assert.equal(await overlays(), 0);
    server.send(wire.cursor(1, { visible: false }));
    await eventually(async () => assert.equal(await style(), "none"));
    server.send(wire.cursor(2, { shape: shape(200) }));
    await eventually(async () => assert.equal(await overlays(), 1));
    assert.equal(await style(), "none");
    server.send(wire.cursor(1));
    await eventually(async () => assert.match(await style(), /^url/));
    assert.equal(await overlays(), 0);
  });

  it("types what an input method made, and no key of it", async () => {
    const client = await browser.context.newCDPSession(page);
    await client.send("Input.imeSetComposition",
      { text: "に", selectionStart: 1, selectionEnd: 1 });
    await client.send("Input.insertText", { text: "日本" });
    await page.keyboard.insertText("😀");
    await eventually(() => assert.deepEqual(
      said("text").map((m) => m.text), ["日本", "😀"]));
    assert.deepEqual(said("key"), []);
  });

  it("tells that a key is held, until it is not", async () => {
    await page.keyboard.down("KeyA");
    await eventually(() => assert.ok(said("held").length >= 2));
    await page.keyboard.up("KeyA");
    assert.equal(said("locks").length, 1);
  });

  it("sends fingers where the desktop takes them", async () => {
    const at = await viewer.place(100, 200);
    const client = await browser.context.newCDPSession(page);
    const touch = (type, ...points) => client.send("Input.dispatchTouchEvent",
      { type, touchPoints: points.map(([x, y, id]) => ({ x, y, id })) });
    await touch("touchStart", [at.x, at.y, 5]);
    await touch("touchMove", [at.x + 40, at.y, 5]);
    await touch("touchEnd");
    await eventually(() => assert.equal(said("touch").at(-1).what, 2));
    const [down, move] = said("touch");
    assert.deepEqual([down.what, down.finger, down.x, down.y],
      [0, 0, 100, 200]);
    assert.equal(move.x, 120);
    assert.deepEqual(said("button"), []);
  });

  it("pastes before the key that pastes", async () => {
    await page.evaluate(() => navigator.clipboard.writeText("pasted ✓"));
    await page.evaluate(() => document.querySelector("#typing").focus());
    await page.keyboard.press("Control+KeyV");
    await eventually(() => assert.equal(said("key").length, 4));
    const order = server.said.filter((m) =>
      m.type === "clipboard" || (m.type === "key" && m.code === 47));
    assert.deepEqual(order.map((m) => m.type), ["clipboard", "key", "key"]);
    assert.equal(order[0].data.toString(), "pasted ✓");
    assert.deepEqual(said("text"), []);
  });

  it("takes what the desktop copied, in pieces", async () => {
    const text = Buffer.from("copied ✓".repeat(5000));
    server.send(wire.clipboard(1, text.length, "text/plain;charset=utf-8",
      text.subarray(0, 20001)));
    server.send(wire.clipboard(2, 0, "", text.subarray(20001)));
    await eventually(async () => assert.equal(
      await page.evaluate(() => navigator.clipboard.readText()),
      text.toString()));
  });

  it("sends a dropped file by a window at a time, and says so", async () => {
    await page.evaluate(() => {
      const data = new DataTransfer();
      data.items.add(new File(["x".repeat(300000)], "ein ü.txt"));
      window.dispatchEvent(new DragEvent("drop", { dataTransfer: data }));
    });
    const sum = () => said("file").reduce((n, m) => n + m.data.length, 0);
    await eventually(() => assert.ok(sum() > 120000));
    assert.ok(sum() <= 131072);
    assert.equal(said("file")[0].name, "ein ü.txt");
    for (let got = 0; got < 300000; got = sum()) {
      server.send(wire.progress(0, 1, sum(), ""));
      await eventually(() => assert.ok(sum() > got || sum() === 300000));
    }
    await eventually(async () =>
      assert.match(await page.locator("#toast").innerText(), /download/));
  });

  it("asks for the size of the window, in device pixels", async () => {
    await page.locator("#resize").evaluate((button) => button.click());
    await page.setViewportSize({ width: 1000, height: 600 });
    await eventually(() => {
      const { width, height, scale } = said("resize").at(-1) ?? {};
      assert.deepEqual([width, height, scale], [1000, 600, 120]);
    });
    await page.locator("#resize").evaluate((button) => button.click());
    await eventually(() => assert.equal(said("resize").at(-1).width, 0));
    await page.setViewportSize(SIZE);
  });

  it("moves a captured pointer by steps", async () => {
    await page.locator("#capture").evaluate((button) => button.click());
    await eventually(async () => assert.ok(await page.evaluate(() =>
      document.pointerLockElement !== null)));
    await page.mouse.move(600, 400);
    await page.mouse.move(610, 405);
    await eventually(() => assert.ok(said("motion").length > 0));
  });
});
