// SPDX-License-Identifier: LGPL-2.1-or-later
// From what people do to the messages that say so: one place knows whether
// this viewer may drive, and the stream and picture that are driven.
import {
  writeButton, writeKey, writePointer, writeReleaseAll, writeWheel,
} from "./protocol.js";
import {
  MAX_TYPED, writeHeld, writeLocks, writeMotion, writeResize, writeText,
  writeTouch,
} from "./protocol-seat.js";

export class Input {
  /** May this viewer drive, and is there something to drive? */
  enabled = false;
  /** What the desktop can do (May of protocol.js). */
  may = 0;
  /** @type {import("./protocol.js").Config | null} */
  config = null;
  #send;

  /** @type {ArrayBuffer[] | null} what waits for something else */
  #waiting = null;

  /** @param {(bytes: ArrayBuffer) => void} send */
  constructor(send) {
    this.#send = (/** @type {ArrayBuffer} */ bytes) => {
      if (this.#waiting) this.#waiting.push(bytes);
      else send(bytes);
    };
  }

  /**
   * Everything waits, in order, until that is done.
   * @param {Promise<unknown>} done
   */
  hold(done) {
    if (this.#waiting) return; // for something that began before
    this.#waiting = [];
    void done.catch(() => {}).then(() => {
      const waiting = this.#waiting ?? [];
      this.#waiting = null;
      waiting.forEach((bytes) => this.#send(bytes));
    });
  }

  get active() {
    return this.enabled && this.config !== null;
  }

  get size() {
    const { width = 0, height = 0 } = this.config ?? {};
    return { width, height };
  }

  get #stream() {
    return this.config?.stream ?? 0;
  }

  /**
   * @param {number} code
   * @param {boolean} pressed
   */
  key(code, pressed) {
    if (this.active) this.#send(writeKey(this.#stream, code, pressed));
  }

  /**
   * @param {number} code
   * @param {boolean} pressed
   */
  button(code, pressed) {
    if (this.active) this.#send(writeButton(this.#stream, code, pressed));
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  pointer(x, y) {
    if (!this.active) return;
    this.#send(writePointer(this.#stream, { x, y, ...this.size }));
  }

  /** @param {{smooth: boolean, dx: number, dy: number}} wheel */
  wheel(wheel) {
    if (this.active) this.#send(writeWheel(this.#stream, wheel));
  }

  /** @param {string} text that is no key of the desktop's layout */
  text(text) {
    const clean = text.replaceAll("\r\n", "\n").replaceAll("\r", "\n")
      .replace(/(?![\n\t])\p{Cc}/gu, "");
    /** @type {number[]} */
    let bytes = [];
    const flush = () => {
      if (bytes.length && this.active) {
        this.#send(writeText(this.#stream, Uint8Array.from(bytes)));
      }
      bytes = [];
    };
    for (const character of clean) { // by code points
      const next = new TextEncoder().encode(character);
      if (bytes.length + next.length > MAX_TYPED) flush();
      bytes.push(...next);
    }
    flush();
  }

  /**
   * @param {boolean} caps
   * @param {boolean} num
   */
  locks(caps, num) {
    if (this.active) this.#send(writeLocks(this.#stream, caps, num));
  }

  /** Something is still held. */
  held() {
    if (this.active) this.#send(writeHeld(this.#stream));
  }

  /**
   * @param {number} dx pixels
   * @param {number} dy
   */
  motion(dx, dy) {
    if (this.active) this.#send(writeMotion(this.#stream, dx * 256, dy * 256));
  }

  /**
   * @param {number} what
   * @param {number} finger
   * @param {{x: number, y: number}} at
   */
  touch(what, finger, at) {
    if (!this.active) return;
    this.#send(writeTouch(this.#stream, what, finger,
      { ...at, ...this.size }));
  }

  /**
   * @param {number} width device pixels, 0: no more
   * @param {number} height
   * @param {number} ratio
   */
  resize(width, height, ratio) {
    if (!this.active) return;
    this.#send(writeResize(this.#stream, width, height, ratio));
  }

  releaseAll() {
    if (this.active) this.#send(writeReleaseAll(this.#stream));
  }
}
