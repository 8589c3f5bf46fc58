// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { Keyboard } from "../../web/keyboard.js";
import { fire, makeInput } from "./events.mjs";

/** @type {import("../../web/input.js").Input} */
let input;
/** @type {() => string[]} */
let taken;

beforeEach(() => {
  ({ input, taken } = makeInput());
});

describe("Keyboard", () => {
  /** @type {EventTarget} */
  let target;
  /** @type {Keyboard} */
  let keyboard;
  let shortcuts = 0;

  beforeEach(() => {
    target = new EventTarget();
    shortcuts = 0;
    keyboard = new Keyboard(input, { KeyS: () => shortcuts++ });
    keyboard.listen(target);
  });

  it("sends physical keys, down and up", () => {
    assert.ok(fire(target, "keydown", { code: "KeyA" }).defaultPrevented);
    assert.ok(fire(target, "keyup", { code: "KeyA" }).defaultPrevented);
    assert.deepEqual(taken(), ["key 30 1", "key 30 0"]);
  });

  it("leaves repeating to the desktop", () => {
    fire(target, "keydown", { code: "KeyA" });
    const event = fire(target, "keydown", { code: "KeyA", repeat: true });
    assert.ok(event.defaultPrevented);
    assert.deepEqual(taken(), ["key 30 1"]);
  });

  it("sends no release of what it did not press", () => {
    fire(target, "keyup", { code: "KeyA" });
    assert.deepEqual(taken(), []);
  });

  it("leaves unknown keys to the browser", () => {
    const event = fire(target, "keydown", { code: "Unidentified" });
    assert.ok(!event.defaultPrevented);
    assert.deepEqual(taken(), []);
  });

  it("releases all that is held, once", () => {
    fire(target, "keydown", { code: "ShiftLeft" });
    fire(target, "keydown", { code: "KeyA" });
    taken();
    keyboard.release();
    keyboard.release();
    fire(target, "keyup", { code: "KeyA" });
    assert.deepEqual(taken(), ["release-all"]);
    fire(target, "keydown", { code: "KeyA" });
    assert.deepEqual(taken(), ["key 30 1"]);
  });

  it("keeps its shortcuts to itself", () => {
    for (const code of ["ControlLeft", "AltLeft", "ShiftLeft"]) {
      fire(target, "keydown", { code });
    }
    taken();
    const event = fire(target, "keydown",
      { code: "KeyS", ctrlKey: true, altKey: true, shiftKey: true });
    fire(target, "keyup", { code: "KeyS" });
    assert.ok(event.defaultPrevented);
    assert.equal(shortcuts, 1);
    assert.deepEqual(taken(), []);
  });

  it("sends nothing, and takes no key, when it may only look on", () => {
    input.enabled = false;
    assert.ok(!fire(target, "keydown", { code: "KeyA" }).defaultPrevented);
    assert.deepEqual(taken(), []);
  });

  it("leaves keys in the page's own fields alone", () => {
    const field = Object.assign(new EventTarget(),
      { closest: () => ({}) });
    keyboard.listen(field);
    assert.ok(!fire(field, "keydown", { code: "KeyA" }).defaultPrevented);
    assert.deepEqual(taken(), []);
  });

  it("undoes Windows' left Control before AltGr", () => {
    fire(target, "keydown", { code: "ControlLeft", key: "Control" });
    fire(target, "keydown", { code: "AltRight", key: "AltGraph" });
    assert.deepEqual(taken(), ["key 29 1", "key 29 0", "key 100 1"]);
  });

  it("tells the locks before the first key, and when they changed", () => {
    let caps = false;
    const getModifierState = (/** @type {string} */ name) =>
      name === "CapsLock" && caps;
    const press = (/** @type {string} */ code) => {
      fire(target, "keydown", { code, getModifierState });
      fire(target, "keyup", { code, getModifierState });
    };
    press("KeyA");
    press("KeyA");
    assert.deepEqual(taken(), ["locks 0 0", "key 30 1", "key 30 0",
      "key 30 1", "key 30 0"]);
    caps = true; // somewhere else
    press("KeyA");
    assert.deepEqual(taken(), ["locks 1 0", "key 30 1", "key 30 0"]);
    press("CapsLock");
    caps = false;
    press("KeyA");
    assert.deepEqual(taken(), ["key 58 1", "key 58 0", "locks 0 0",
      "key 30 1", "key 30 0"]);
  });

  it("makes Control of Command on a Mac, if that is wanted", () => {
    const field = new EventTarget();
    const mac = new Keyboard(input, {}, true);
    mac.commandIsControl = true;
    mac.listen(field);
    fire(field, "keydown", { code: "MetaLeft" });
    fire(field, "keydown", { code: "KeyC", metaKey: true });
    fire(field, "keyup", { code: "MetaLeft" });
    assert.deepEqual(taken(), ["key 29 1", "key 46 1", "key 29 0",
      "key 46 0"]);
    fire(field, "keydown", { code: "CapsLock" });
    assert.deepEqual(taken(), []);
  });

  it("leaves keys to an input method, but for dead keys", () => {
    fire(target, "keydown", { code: "KeyA", isComposing: true });
    fire(target, "keydown", { code: "KeyA", key: "Process" });
    fire(target, "keydown", { code: "KeyA", keyCode: 229 });
    assert.deepEqual(taken(), []);
    fire(target, "keydown", { code: "Equal", key: "Dead", keyCode: 229 });
    assert.deepEqual(taken(), ["key 13 1"]);
  });

  it("sends text in messages that the server takes", () => {
    input.text("a\r\nb\x1b");
    input.text("😀".repeat(300));
    assert.deepEqual(taken(), ["text a\nb", `text ${"😀".repeat(256)}`,
      `text ${"😀".repeat(44)}`]);
  });

  it("keeps the order of what waits", async () => {
    /** @type {(value?: unknown) => void} */
    let done = () => {};
    input.hold(new Promise((resolve) => { done = resolve; }));
    input.key(30, true);
    input.key(30, false);
    assert.deepEqual(taken(), []);
    done();
    await new Promise((resolve) => { setTimeout(resolve, 0); });
    assert.deepEqual(taken(), ["key 30 1", "key 30 0"]);
  });

  it("lets go what macOS forgets under Command", () => {
    fire(target, "keydown", { code: "MetaLeft" });
    fire(target, "keydown", { code: "ShiftLeft" });
    fire(target, "keydown", { code: "KeyC" });
    taken();
    fire(target, "keyup", { code: "MetaLeft" });
    assert.deepEqual(taken(), ["key 125 0", "key 46 0"]);
  });
});
