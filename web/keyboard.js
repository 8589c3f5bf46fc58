// SPDX-License-Identifier: LGPL-2.1-or-later
// The keyboard: physical keys go down and up at the desktop; the browser keeps
// only those that it does not give away, and our own shortcuts.
import { KEYS, MODIFIERS } from "./keys.js";

const CONTROL_LEFT = 29;
const ALT_RIGHT = 100;
const META = new Set([125, 126]);
const CAPS_LOCK = 58;
const NUM_LOCK = 69;
/** Command as Control: as people on a Mac expect of Command+C. */
const COMMAND = new Map([[125, CONTROL_LEFT], [126, 97]]);

/**
 * Events that are the page's own: of a button or a field of the toolbar.
 * @param {Event} event
 */
function isOurs(event) {
  const target = /** @type {Partial<Element> | null} */ (event.target);
  return Boolean(target?.closest?.("[data-ui]"));
}

/**
 * An input method has the key. A dead key is one of the layout: it goes on.
 * @param {KeyboardEvent} event
 */
function composes(event) {
  if (event.key === "Dead") return false;
  return event.isComposing || event.key === "Process" || event.keyCode === 229;
}

/**
 * What makes a browser tell what is to be pasted.
 * @param {KeyboardEvent} event
 */
export function isPaste(event) {
  return (event.code === "KeyV" && (event.ctrlKey || event.metaKey) &&
    !event.altKey) || (event.code === "Insert" && event.shiftKey &&
    !event.ctrlKey);
}

export class Keyboard {
  #input;
  #shortcuts;
  /** @type {Set<number>} what is down at the desktop */
  #held = new Set();
  #locks = "";
  /** Command is Control at the desktop. */
  commandIsControl = false;
  #mac;

  /**
   * @param {import("./input.js").Input} input
   * @param {Record<string, () => void>} shortcuts by code: with Ctrl, Alt and
   *   Shift they are the page's, also when it may only look on
   * @param {boolean} [mac]
   */
  constructor(input, shortcuts, mac = false) {
    this.#input = input;
    this.#shortcuts = shortcuts;
    this.#mac = mac;
  }

  get holds() {
    return this.#held.size > 0;
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
    this.#locks = "";
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
    const code = this.#code(event);
    if (code === undefined || isOurs(event) || !this.#input.active) return;
    if (composes(event)) return; // the input method has it: see typing.js
    if (!isPaste(event)) event.preventDefault(); // else: see clipboard.js
    if (event.repeat || this.#held.has(code)) return; // the desktop repeats
    if (code === CAPS_LOCK && this.#mac) return; // a state, no key, there
    this.#syncLocks(event, code);
    if (code === ALT_RIGHT && event.key === "AltGraph") this.#dropControl();
    this.#held.add(code);
    this.#input.key(code, true);
  }

  /** @param {KeyboardEvent} event */
  #up(event) {
    const code = this.#code(event);
    if (code === undefined || !this.#held.has(code)) return;
    event.preventDefault();
    this.#let(code);
    const meta = META.has(KEYS.get(event.code) ?? 0);
    if (meta && (this.#mac || META.has(code))) this.#dropUnderMeta();
  }

  /** @param {KeyboardEvent} event */
  #code(event) {
    const code = KEYS.get(event.code);
    const control = this.commandIsControl && code && COMMAND.get(code);
    return control || code;
  }

  /**
   * Once before the first key and when they changed elsewhere.
   * @param {KeyboardEvent} event
   * @param {number} code
   */
  #syncLocks(event, code) {
    if (!event.getModifierState) return;
    const caps = event.getModifierState("CapsLock");
    // A Mac has no NumLock: its digits are digits.
    const num = this.#mac || event.getModifierState("NumLock");
    if (code === CAPS_LOCK || code === NUM_LOCK) {
      this.#locks = ""; // whether the state is that before it or after differs
    } else if (this.#locks !== `${caps} ${num}`) {
      this.#locks = `${caps} ${num}`;
      this.#input.locks(caps, num);
    }
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
