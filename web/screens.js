// SPDX-License-Identifier: LGPL-2.1-or-later
// Puts messages.js's words on the page.
import { tokenFrom } from "./token.js";

/**
 * @param {ParentNode} root
 * @param {string} selector
 */
export function find(root, selector) {
  const found = root.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`no ${selector}`);
  return found;
}

export class Screens {
  #root = find(document, "#screen");
  #line = find(document, "#line");
  #shown = "";

  /**
   * @param {{retry: () => void, token: (token: string) => void}} actions
   */
  constructor(actions) {
    find(this.#root, "#retry").onclick = actions.retry;
    find(this.#root, "#reload").onclick = () => location.reload();
    const form = /** @type {HTMLFormElement} */ (find(this.#root, "#token"));
    const field = /** @type {HTMLInputElement} */ (find(form, "input"));
    form.onsubmit = (event) => {
      event.preventDefault();
      const token = tokenFrom(field.value);
      field.setCustomValidity(token ? "" : "There is no token in that");
      if (token) actions.token(token);
      else field.reportValidity();
    };
    field.oninput = () => field.setCustomValidity("");
  }

  /** @param {import("./messages.js").Screen | null} screen */
  show(screen) {
    const key = JSON.stringify(screen);
    if (key === this.#shown) return; // nothing to read out again
    this.#shown = key;
    const large = screen && !screen.small;
    this.#root.hidden = !large;
    this.#line.hidden = !screen?.small;
    document.body.dataset.screen = screen?.id ?? "";
    if (!screen) return;
    if (screen.small) {
      find(this.#line, "span").textContent =
        [screen.title, ...screen.text].join(". ");
      return;
    }
    this.#fill(screen);
  }

  /** @param {import("./messages.js").Screen} screen */
  #fill({ title, text, steps = [], command, action, busy }) {
    const root = this.#root;
    find(root, "h1").textContent = title;
    find(root, ".busy").hidden = !busy;
    find(root, ".text").replaceChildren(...text.map((t) => element("p", t)));
    const list = find(root, "ul");
    list.replaceChildren(...steps.map((t) => element("li", t)));
    list.hidden = !steps.length;
    if (command) list.firstElementChild?.append(element("code", command));
    const field = find(root, "#token");
    const asked = field.hidden && action === "token";
    field.hidden = action !== "token";
    find(root, "#retry").hidden = action !== "retry";
    find(root, "#reload").hidden = action !== "reload";
    if (asked) find(field, "input").focus();
  }
}

/**
 * @param {string} name
 * @param {string} text
 */
function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
