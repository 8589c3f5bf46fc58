// SPDX-License-Identifier: LGPL-2.1-or-later
// A word to the person that goes by itself, and how far a file is.
import { find } from "./screens.js";

const SHOWN_MS = 6000;

export class Toast {
  #root = find(document, "#toast");
  #bar = /** @type {HTMLProgressElement} */ (find(this.#root, "progress"));
  #cancel = find(this.#root, "button");
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {string} text */
  say(text) {
    this.#show(text);
    this.#bar.hidden = this.#cancel.hidden = true;
    this.#timer = setTimeout(() => { this.#root.hidden = true; }, SHOWN_MS);
  }

  /**
   * @param {string} text
   * @param {number} part 0 to 1
   * @param {() => void} cancel
   */
  progress(text, part, cancel) {
    this.#show(text);
    this.#bar.hidden = this.#cancel.hidden = false;
    this.#bar.value = part;
    this.#cancel.onclick = cancel;
  }

  /** @param {string} text */
  #show(text) {
    clearTimeout(this.#timer);
    find(this.#root, "span").textContent = text;
    this.#root.hidden = false;
  }
}
