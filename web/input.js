// SPDX-License-Identifier: LGPL-2.1-or-later
// From what people do to the messages that say so: one place knows whether
// this viewer may drive, and the stream and picture that are driven.
import {
  writeButton, writeKey, writePointer, writeReleaseAll, writeWheel,
} from "./protocol.js";

export class Input {
  /** May this viewer drive, and is there something to drive? */
  enabled = false;
  /** @type {import("./protocol.js").Config | null} */
  config = null;
  #send;

  /** @param {(bytes: ArrayBuffer) => void} send */
  constructor(send) {
    this.#send = send;
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

  releaseAll() {
    if (this.active) this.#send(writeReleaseAll(this.#stream));
  }
}
