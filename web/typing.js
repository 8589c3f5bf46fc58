// SPDX-License-Identifier: LGPL-2.1-or-later
// Text that no key makes: input methods, the keyboards of telephones, emoji.
// A field that nobody sees has the focus, so that the browser offers them all;
// keyboard.js takes the plain keys away before they come here.
import { KEYS } from "./keys.js";

/** Something to delete, or Backspace of a telephone would say nothing. */
const FILLING = "  ";

export class Typing {
  #input;
  #field;

  /**
   * @param {import("./input.js").Input} input
   * @param {HTMLTextAreaElement} field
   */
  constructor(input, field) {
    this.#input = input;
    this.#field = field;
    field.addEventListener("compositionend", (event) => {
      this.#input.text(event.data);
      this.#clear();
    });
    field.addEventListener("input", (event) =>
      this.#typed(/** @type {InputEvent} */ (event)));
    this.#clear();
  }

  /** The keyboard belongs to the desktop. */
  focus() {
    this.#field.focus({ preventScroll: true });
  }

  /** The keyboard of a telephone. @param {boolean} shown */
  showKeyboard(shown) {
    this.#field.blur();
    this.#field.inputMode = shown ? "text" : "none";
    this.focus();
  }

  #clear() {
    this.#field.value = FILLING;
    this.#field.setSelectionRange(FILLING.length, FILLING.length);
  }

  /** @param {InputEvent} event */
  #typed(event) {
    if (event.isComposing) return; // until it ends
    switch (event.inputType) {
      case "insertLineBreak":
      case "insertParagraph": this.#press("Enter"); break;
      case "deleteContentBackward": this.#press("Backspace"); break;
      case "deleteContentForward": this.#press("Delete"); break;
      case "insertText":
      case "insertReplacementText":
        if (event.data) this.#input.text(event.data);
        break;
      case "insertCompositionText":
      case "insertFromComposition": return; // compositionend has it
    }
    this.#clear();
  }

  /** @param {string} name */
  #press(name) {
    const code = KEYS.get(name) ?? 0;
    this.#input.key(code, true);
    this.#input.key(code, false);
  }
}
