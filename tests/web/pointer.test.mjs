// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { Pointer, wheelOf } from "../../web/pointer.js";
import { fire, makeInput } from "./events.mjs";

/** @type {import("../../web/input.js").Input} */
let input;
/** @type {() => string[]} */
let taken;

beforeEach(() => {
  ({ input, taken } = makeInput());
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
