// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { Input } from "../../web/input.js";
import { Keyboard } from "../../web/keyboard.js";
import { Pointer, wheelOf } from "../../web/pointer.js";
import * as wire from "../browser/wire.mjs";

/** @type {any} */
const CONFIG = { type: "config", stream: 0, width: 1920, height: 1080,
  codec: "" };

/** @type {string[]} */
let sent = [];
/** @type {Input} */
let input;

beforeEach(() => {
  sent = [];
  input = new Input((bytes) => {
    const { type, ...said } = wire.parse(Buffer.from(bytes));
    sent.push([type, ...Object.values(said)].join(" "));
  });
  input.enabled = true;
  input.config = CONFIG;
});

function taken() {
  const result = sent;
  sent = [];
  return result;
}

/**
 * @param {EventTarget} target
 * @param {string} type
 * @param {object} fields
 */
function fire(target, type, fields = {}) {
  const event = new Event(type, { cancelable: true });
  Object.assign(event, fields);
  target.dispatchEvent(event);
  return event;
}

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

  it("lets go what macOS forgets under Command", () => {
    fire(target, "keydown", { code: "MetaLeft" });
    fire(target, "keydown", { code: "ShiftLeft" });
    fire(target, "keydown", { code: "KeyC" });
    taken();
    fire(target, "keyup", { code: "MetaLeft" });
    assert.deepEqual(taken(), ["key 125 0", "key 46 0"]);
  });
});

describe("Pointer", () => {
  /** @type {any} */
  let element;
  /** @type {Pointer} */
  let pointer;
  /** @type {(() => void)[]} */
  let frames;

  beforeEach(() => {
    frames = [];
    element = Object.assign(new EventTarget(), {
      captured: 0,
      getBoundingClientRect: () =>
        ({ left: 0, top: 0, width: 960, height: 540 }),
      setPointerCapture() { this.captured++; },
      focus() {},
    });
    pointer = new Pointer(input, element, () => {}, (f) => frames.push(f));
  });

  /**
   * @param {string} type
   * @param {number} x
   * @param {number} y
   * @param {number} buttons
   */
  function at(type, x, y, buttons = 0) {
    return fire(element, type,
      { clientX: x, clientY: y, buttons, isPrimary: true, pointerId: 1 });
  }

  function nextFrame() {
    frames.splice(0).forEach((run) => run());
  }

  it("sends the first move at once, then one a frame, the last", () => {
    at("pointermove", 10, 10);
    assert.deepEqual(taken(), ["pointer 20 20 1920 1080"]);
    at("pointermove", 20, 10);
    at("pointermove", 30, 10);
    assert.deepEqual(taken(), []);
    nextFrame();
    assert.deepEqual(taken(), ["pointer 60 20 1920 1080"]);
    nextFrame();
    assert.deepEqual(taken(), []);
  });

  it("sends a move before the button that follows it", () => {
    at("pointermove", 10, 10);
    at("pointermove", 50, 50);
    at("pointerdown", 60, 60, 1);
    assert.deepEqual(taken(), ["pointer 20 20 1920 1080",
      "pointer 120 120 1920 1080", "button 272 1"]);
    assert.equal(element.captured, 1);
    at("pointerup", 70, 70, 0);
    assert.deepEqual(taken(), ["pointer 140 140 1920 1080", "button 272 0"]);
  });

  it("knows a second button, which comes as a move", () => {
    at("pointerdown", 1, 1, 1);
    taken();
    at("pointermove", 1, 1, 3);
    at("pointermove", 1, 1, 2);
    at("pointerup", 1, 1, 0);
    assert.deepEqual(taken(), ["button 273 1", "button 272 0",
      "button 273 0"]);
  });

  it("has five buttons", () => {
    at("pointerdown", 0, 0, 31);
    assert.deepEqual(taken().slice(1),
      [272, 273, 274, 275, 276].map((code) => `button ${code} 1`));
  });

  it("lets go when the pointer is lost", () => {
    at("pointerdown", 1, 1, 1);
    taken();
    fire(element, "pointercancel");
    assert.deepEqual(taken(), ["button 272 0"]);
    at("pointerdown", 1, 1, 1);
    taken();
    pointer.forget();
    pointer.forget();
    assert.deepEqual(taken(), ["release-all"]);
  });

  it("keeps the browser's menu away, unless it only looks on", () => {
    assert.ok(fire(element, "contextmenu").defaultPrevented);
    input.enabled = false;
    assert.ok(!fire(element, "contextmenu").defaultPrevented);
    at("pointerdown", 1, 1, 1);
    fire(element, "wheel", { deltaMode: 0, deltaX: 0, deltaY: 100 });
    assert.deepEqual(taken(), []);
  });

  it("sends where it is before the wheel, and gathers small steps", () => {
    fire(element, "wheel", { deltaMode: 0, deltaX: 0, deltaY: 0.5,
      clientX: 5, clientY: 5 });
    assert.deepEqual(taken(), ["pointer 10 10 1920 1080"]);
    fire(element, "wheel", { deltaMode: 0, deltaX: 0, deltaY: 0.5,
      clientX: 5, clientY: 5 });
    assert.deepEqual(taken(), ["wheel 1 0 1"]);
  });
});

describe("wheelOf", () => {
  /** @param {object} fields */
  function wheel(fields) {
    return wheelOf(/** @type {any} */ (
      { deltaMode: 0, deltaX: 0, deltaY: 0, ...fields }));
  }

  it("counts a detent as 120", () => {
    assert.deepEqual(wheel({ deltaY: 100, wheelDeltaX: 0,
      wheelDeltaY: -120 }), { smooth: false, dx: -0, dy: 120 });
    assert.deepEqual(wheel({ deltaMode: 1, deltaY: -3 }),
      { smooth: false, dx: 0, dy: -120 });
    assert.deepEqual(wheel({ deltaMode: 2, deltaX: 1 }),
      { smooth: false, dx: 120, dy: 0 });
  });

  it("takes a touchpad's pixels as smooth", () => {
    assert.deepEqual(wheel({ deltaY: 25, wheelDeltaX: 0, wheelDeltaY: -75 }),
      { smooth: true, dx: 0, dy: 30 });
  });
});
