// SPDX-License-Identifier: LGPL-2.1-or-later
// The toolbar: a small handle at the top edge opens it, and it goes by itself.
import { find } from "./screens.js";

const LEAVE_MS = 1200;
const FIRST_MS = 3000;

export class Toolbar {
  #root = find(document, "#bar");
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #leave;

  /**
   * @param {Record<string, () => void>} actions by the id of their button
   * @param {() => void} leave the keyboard goes back to the desktop
   * @param {() => void} acted a button did something
   */
  constructor(actions, leave, acted) {
    this.#leave = leave;
    for (const [id, action] of Object.entries(actions)) {
      find(this.#root, `#${id}`).onclick = () => {
        action();
        acted();
      };
    }
    find(this.#root, "#handle").onclick = () => this.#open(true);
    this.#root.addEventListener("pointerenter", (event) => {
      if (event.pointerType !== "touch") this.#open(false);
    });
    this.#root.addEventListener("pointerleave", () => this.#closeIn(LEAVE_MS));
    this.#root.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#close();
    });
    this.#root.addEventListener("focusout", () => this.#closeIn(LEAVE_MS));
    this.#open(false);
    this.#closeIn(FIRST_MS);
  }

  /** For the keyboard: opens it and puts the focus on its first button. */
  focus() {
    this.#open(true);
  }

  /** @param {Record<string, boolean>} offers which buttons are there */
  offer(offers) {
    for (const [id, there] of Object.entries(offers)) {
      find(this.#root, `#${id}`).hidden = !there;
    }
  }

  /**
   * @param {string} id of a button
   * @param {boolean} pressed
   */
  press(id, pressed) {
    find(this.#root, `#${id}`).setAttribute("aria-pressed", String(pressed));
  }

  /**
   * @param {string} name of the desktop
   * @param {boolean} mayDrive
   */
  describe(name, mayDrive) {
    find(this.#root, "#name").textContent = name;
    find(document, "#badge").hidden = mayDrive;
  }

  /** @param {boolean} focus */
  #open(focus) {
    clearTimeout(this.#timer);
    this.#root.classList.add("open");
    if (focus) find(this.#root, ".buttons button").focus();
  }

  #close() {
    clearTimeout(this.#timer);
    this.#root.classList.remove("open");
    if (this.#root.contains(document.activeElement)) this.#leave();
  }

  /** @param {number} ms */
  #closeIn(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#root.matches(":hover")) return;
      if (!this.#root.contains(document.activeElement) ||
          !this.#root.matches(":focus-within:has(:focus-visible)")) {
        this.#close();
      }
    }, ms);
  }
}
