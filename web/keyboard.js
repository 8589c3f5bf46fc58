// SPDX-License-Identifier: LGPL-2.1-or-later
// The keyboard: physical keys go down and up at the desktop; the browser keeps
// only those that it does not give away, and our own shortcuts.
import { KEYS, MODIFIERS } from "./keys.js";

const CONTROL_LEFT = 29;
const ALT_RIGHT = 100;
const META = new Set([125, 126]);

/**
 * Events that are the page's own: of a button or a field of the toolbar.
 * @param {Event} event
 */
function isOurs(event) {
  const target = /** @type {Partial<Element> | null} */ (event.target);
  return Boolean(target?.closest?.("[data-ui]"));
}

export class Keyboard {
  #input;
  #shortcuts;
  /** @type {Set<number>} what is down at the desktop */
  #held = new Set();

  /**
   * @param {import("./input.js").Input} input
   * @param {Record<string, () => void>} shortcuts by code: with Ctrl, Alt and
   *   Shift they are the page's, also when it may only look on
   */
  constructor(input, shortcuts) {
    this.#input = input;
    this.#shortcuts = shortcuts;
  }

  /** @param {EventTarget} target */
  listen(target) {
    target.addEventListener("keydown", (event) =>
      this.#down(/** @type {KeyboardEvent} */ (event)));
    target.addEventListener("keyup", (event) =>
      this.#up(/** @type {KeyboardEvent} */ (event)));
  }

  /** Nothing stays down: the window lost the keyboard, or the server us. */
  release() {
    if (this.#held.size) this.#input.releaseAll();
    this.#held.clear();
  }

  /** @param {KeyboardEvent} event */
  #down(event) {
    const shortcut = event.ctrlKey && event.altKey && event.shiftKey &&
      this.#shortcuts[event.code];
    if (shortcut) {
      event.preventDefault();
      if (!event.repeat) shortcut();
      return;
    }
    const code = KEYS.get(event.code);
    if (code === undefined || isOurs(event) || !this.#input.active) return;
    event.preventDefault();
    if (event.repeat || this.#held.has(code)) return; // the desktop repeats
    if (code === ALT_RIGHT && event.key === "AltGraph") this.#dropControl();
    this.#held.add(code);
    this.#input.key(code, true);
  }

  /** @param {KeyboardEvent} event */
  #up(event) {
    const code = KEYS.get(event.code);
    if (code === undefined || !this.#held.has(code)) return;
    event.preventDefault();
    this.#let(code);
    if (META.has(code)) this.#dropUnderMeta();
  }

  /** @param {number} code */
  #let(code) {
    if (this.#held.delete(code)) this.#input.key(code, false);
  }

  /** Windows says AltGr as left Control and right Alt. */
  #dropControl() {
    this.#let(CONTROL_LEFT);
  }

  /** macOS tells of no key's release while a Command key is down. */
  #dropUnderMeta() {
    for (const code of this.#held) {
      if (!MODIFIERS.has(code)) this.#let(code);
    }
  }
}
