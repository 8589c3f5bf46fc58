// SPDX-License-Identifier: LGPL-2.1-or-later
// Which of the desktop's outputs this page shows: what the address names
// (?output=), else the first. The toolbar has a button for each where there
// are several.
import { find } from "./screens.js";

export class Outputs {
  #root = find(document, "#outputs");
  #chosen = new URLSearchParams(location.search).get("output") ?? "";
  /** @type {string[]} */
  #names = [];
  #choose;

  /** @param {() => void} choose another one was chosen */
  constructor(choose) {
    this.#choose = choose;
  }

  /** Of the WebSocket's address. */
  get query() {
    return this.#chosen ? `?output=${encodeURIComponent(this.#chosen)}` : "";
  }

  /** The one that is shown; empty where there is no other. */
  get shown() {
    return this.#names.length > 1 ? this.#chosen || this.#names[0] : "";
  }

  /**
   * Asks the server which there are. Resolves with the name of the one that
   * was chosen when it is not there any more: now it is the first.
   * @param {string} token
   */
  async ask(token) {
    try {
      const answer = await fetch("outputs",
        { headers: { Authorization: `Bearer ${token}` } });
      if (!answer.ok) return "";
      const { outputs } = await answer.json();
      this.#names = outputs.map((/** @type {{name: string}} */ o) => o.name);
    } catch {
      return ""; // the server is away: the connection says so
    }
    const gone = this.#names.includes(this.#chosen) ? "" : this.#chosen;
    if (gone) this.#set("");
    this.#offer();
    return gone;
  }

  /** @param {string} name */
  #set(name) {
    const url = new URL(location.href);
    url.searchParams.delete("output");
    if (name) url.searchParams.set("output", name);
    history.replaceState(null, "", url);
    this.#chosen = name;
  }

  #offer() {
    const several = this.#names.length > 1;
    this.#root.hidden = !several;
    this.#root.replaceChildren(...several ? this.#names.map((name) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.title = `Show the output ${name}`;
      button.setAttribute("aria-pressed", String(name === this.shown));
      button.onclick = () => {
        this.#set(name);
        this.#offer();
        this.#choose();
      };
      return button;
    }) : []);
  }
}
