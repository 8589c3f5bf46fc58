// SPDX-License-Identifier: LGPL-2.1-or-later
// Pointer, buttons and wheel over the picture. Moves are sent once per
// animation frame, and always before a button or the wheel.
import { pixelAt } from "./geometry.js";
import { BUTTONS } from "./keys.js";
import { May } from "./protocol.js";
import { Touch } from "./protocol-seat.js";

const DETENT = 120;
/** CSS pixels that a detent scrolls, where only pixels are told. */
const DETENT_PIXELS = 100;
const DETENT_LINES = 3;
const MAX_WHEEL = 32767;
const MAX_FINGERS = 10;

/**
 * What a wheel event says, in 120ths of a detent.
 * @param {WheelEvent} event
 */
export function wheelOf(event) {
  const mode = event.deltaMode; // before the deltas: Firefox minds
  const { deltaX, deltaY } = event;
  if (mode === 1) {
    const unit = DETENT / DETENT_LINES;
    return { smooth: false, dx: deltaX * unit, dy: deltaY * unit };
  }
  if (mode === 2) {
    return { smooth: false, dx: deltaX * DETENT, dy: deltaY * DETENT };
  }
  // Chromium tells detents of a wheel as multiples of 120, turned round.
  const { wheelDeltaX = 0, wheelDeltaY = 0 } =
    /** @type {{wheelDeltaX?: number, wheelDeltaY?: number}} */ (
      /** @type {unknown} */ (event));
  if ((wheelDeltaX || wheelDeltaY) && wheelDeltaX % DETENT === 0 &&
      wheelDeltaY % DETENT === 0) {
    return { smooth: false, dx: -wheelDeltaX, dy: -wheelDeltaY };
  }
  const unit = DETENT / DETENT_PIXELS;
  return { smooth: true, dx: deltaX * unit, dy: deltaY * unit };
}

export class Pointer {
  /** The browser tells how far it moves, not where it is. */
  locked = false;
  #input;
  #element;
  #focus;
  #requestFrame;
  /** @type {Map<number, number>} pointerId of what touches to its finger */
  #fingers = new Map();
  /** @type {{x: number, y: number} | null} where it went, not yet sent */
  #moved = null;
  /** @type {{x: number, y: number} | null} */
  #sent = null;
  #scheduled = false;
  #buttons = 0;
  #wheel = { dx: 0, dy: 0 };

  /**
   * @param {import("./input.js").Input} input
   * @param {HTMLElement} element the picture
   * @param {() => void} focus the keyboard goes where the pointer is
   * @param {(f: () => void) => unknown} [requestFrame]
   */
  constructor(input, element, focus,
    requestFrame = (f) => requestAnimationFrame(f)) {
    this.#input = input;
    this.#element = element;
    this.#focus = focus;
    this.#requestFrame = requestFrame;
    for (const name of ["pointerdown", "pointermove", "pointerup"]) {
      element.addEventListener(name, (event) =>
        this.#pointer(/** @type {PointerEvent} */ (event)));
    }
    for (const name of ["pointercancel", "lostpointercapture"]) {
      element.addEventListener(name, (event) => {
        const { pointerId, pointerType } = /** @type {PointerEvent} */ (event);
        if (pointerType === "touch") this.#lift(pointerId, Touch.CANCEL);
        else this.#press(0);
      });
    }
    element.addEventListener("wheel", (event) =>
      this.#scroll(/** @type {WheelEvent} */ (event)), { passive: false });
    for (const name of ["contextmenu", "dragstart", "auxclick"]) {
      element.addEventListener(name, (event) => {
        if (this.#input.active) event.preventDefault();
      });
    }
  }

  get holds() {
    return this.#buttons !== 0 || this.#fingers.size > 0;
  }

  /** Nothing stays down; RELEASE_ALL is the keyboard's to send. */
  forget() {
    if (this.holds) this.#input.releaseAll();
    this.#buttons = 0;
    this.#fingers.clear();
    this.#moved = this.#sent = null;
    this.#wheel = { dx: 0, dy: 0 };
  }

  /** @param {PointerEvent} event */
  #pointer(event) {
    if (!this.#input.active) return;
    const touches = event.pointerType === "touch" &&
      (this.#input.may & May.TOUCH) !== 0;
    if (!event.isPrimary && !touches) return;
    if (event.type === "pointerdown") {
      this.#element.setPointerCapture(event.pointerId);
      this.#focus();
      event.preventDefault();
    }
    if (touches) {
      this.#touch(event);
      return;
    }
    this.#move(event);
    if (event.buttons !== this.#buttons) {
      this.#flush();
      this.#press(event.buttons);
    }
  }

  /** @param {PointerEvent} event */
  #touch(event) {
    const at = pixelAt(this.#element.getBoundingClientRect(),
      this.#input.size, event.clientX, event.clientY);
    const known = this.#fingers.get(event.pointerId);
    if (event.type === "pointerdown") {
      const used = new Set(this.#fingers.values());
      const free = [...Array(MAX_FINGERS).keys()].find((i) => !used.has(i));
      if (free === undefined || known !== undefined) return;
      this.#fingers.set(event.pointerId, free);
      this.#input.touch(Touch.DOWN, free, at);
    } else if (known === undefined) {
      return;
    } else if (event.type === "pointermove") {
      this.#input.touch(Touch.MOVE, known, at);
    } else {
      this.#lift(event.pointerId, Touch.UP);
    }
  }

  /**
   * @param {number} id
   * @param {number} what
   */
  #lift(id, what) {
    const finger = this.#fingers.get(id);
    if (finger === undefined) return;
    this.#fingers.delete(id);
    this.#input.touch(what, finger, { x: 0, y: 0 });
  }

  /** @param {MouseEvent} event */
  #move(event) {
    if (this.locked) {
      const unit = this.#input.size.width /
        this.#element.getBoundingClientRect().width;
      this.#input.motion(event.movementX * unit, event.movementY * unit);
      return;
    }
    this.#moved = pixelAt(this.#element.getBoundingClientRect(),
      this.#input.size, event.clientX, event.clientY);
    if (this.#scheduled) return;
    this.#flush();
    this.#scheduled = true;
    this.#requestFrame(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush() {
    const to = this.#moved;
    this.#moved = null;
    if (!to || (to.x === this.#sent?.x && to.y === this.#sent.y)) return;
    this.#sent = to;
    this.#input.pointer(to.x, to.y);
  }

  /** @param {number} buttons the bits of MouseEvent.buttons */
  #press(buttons) {
    for (const [bit, code] of BUTTONS) {
      if ((buttons & bit) !== (this.#buttons & bit)) {
        this.#input.button(code, (buttons & bit) !== 0);
      }
    }
    this.#buttons = buttons;
  }

  /** @param {WheelEvent} event */
  #scroll(event) {
    if (!this.#input.active || event.ctrlKey && event.metaKey) return;
    event.preventDefault();
    this.#move(event);
    this.#flush();
    const { smooth, dx, dy } = wheelOf(event);
    this.#wheel.dx += dx;
    this.#wheel.dy += dy;
    const whole = { dx: take(this.#wheel, "dx"), dy: take(this.#wheel, "dy") };
    if (whole.dx || whole.dy) this.#input.wheel({ smooth, ...whole });
  }
}

/**
 * Whole units out of what has gathered; the rest stays for the next event.
 * @param {{dx: number, dy: number}} gathered
 * @param {"dx" | "dy"} axis
 */
function take(gathered, axis) {
  const whole = Math.trunc(gathered[axis]);
  gathered[axis] -= whole;
  return Math.min(Math.max(whole, -MAX_WHEEL), MAX_WHEEL);
}
