// SPDX-License-Identifier: LGPL-2.1-or-later
// The clipboard, both ways. What the desktop copied is written into the
// browser's at once, or with the next key or click where a browser wants one.
// What was copied here goes over when the page gets the focus, where the
// browser lets pages read, else when people paste by a key.
import { May } from "./protocol.js";
import { MAX_CLIPBOARD } from "./protocol-seat.js";
import { Gatherer } from "./transfer.js";

const TEXT = "text/plain;charset=utf-8";
const PNG = "image/png";
const PASTE_EVENT_MS = 150;
const PASTE_MS = 3000;

/** @param {Blob} blob */
async function digest(blob) {
  const hash = await crypto.subtle.digest("SHA-256", await blob.arrayBuffer());
  return `${blob.type} ${new Uint8Array(hash)}`;
}

/** @param {number} ms */
const after = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

export class Clipboard {
  #input;
  #uploads;
  #say;
  #gatherer = new Gatherer();
  #known = "";
  /** @type {Blob | null} what the browser did not take yet */
  #pending = null;
  #complained = new Set();
  /** @type {((done: Promise<unknown>) => void) | null} */
  #pasting = null;

  /**
   * @param {import("./input.js").Input} input
   * @param {import("./transfer.js").Uploads} uploads
   * @param {(text: string) => void} say to the person
   */
  constructor(input, uploads, say) {
    this.#input = input;
    this.#uploads = uploads;
    this.#say = say;
    document.addEventListener("paste", (event) => this.#paste(event));
    window.addEventListener("focus", () => void this.#look());
    for (const name of ["pointerdown", "keydown"]) {
      window.addEventListener(name, () => void this.#write(true));
    }
  }

  get #works() {
    return this.#input.active && (this.#input.may & May.CLIPBOARD) !== 0;
  }

  forget() {
    this.#known = "";
    this.#pending = null;
  }

  /** A key that pastes: it waits until the desktop has what is to be pasted. */
  pasteKey() {
    if (!this.#works) return;
    const told = new Promise((resolve) => { this.#pasting = resolve; });
    this.#input.hold(Promise.race([
      Promise.race([told, after(PASTE_EVENT_MS)]).then((done) => done),
      after(PASTE_MS)]));
  }

  /** Asks the browser to let the page read, from a click. */
  async ask() {
    try {
      await this.#read();
      this.#say("The clipboard is shared from now on.");
    } catch {
      this.#say("This browser does not let the page read the clipboard: " +
        "paste by Ctrl+V.");
    }
  }

  /** @param {import("./protocol-seat.js").Clipboard} piece */
  async heard(piece) {
    const blob = this.#gatherer.add(piece);
    if (!blob) return;
    this.#known = await digest(blob);
    this.#pending = blob;
    await this.#write(false);
  }

  /** @param {boolean} asked inside of a key or click */
  async #write(asked) {
    const blob = this.#pending;
    if (!blob) return;
    try {
      if (blob.type.startsWith("text/")) {
        await navigator.clipboard.writeText(await blob.text());
      } else {
        await navigator.clipboard.write([new ClipboardItem({ [PNG]: blob })]);
      }
      if (this.#pending === blob) this.#pending = null;
    } catch {
      if (!asked) return; // with the next key or click
      this.#pending = null;
      this.#complain("write", "This browser does not let the page write to " +
        "the clipboard: what you copy on the desktop stays there.");
    }
  }

  async #look() {
    if (!this.#works) return;
    try {
      const state = await navigator.permissions.query(
        /** @type {any} */ ({ name: "clipboard-read" }));
      if (state.state === "granted") await this.#read();
    } catch {
      // this browser has no such permission: pasting by key remains
    }
  }

  async #read() {
    for (const item of await navigator.clipboard.read()) {
      const type = ["text/plain", PNG].find((t) => item.types.includes(t));
      if (!type) continue;
      await this.#offer(await item.getType(type));
      return;
    }
  }

  /** @param {Blob} blob */
  async #offer(blob) {
    if (!blob.size || !this.#works) return;
    if (blob.size > MAX_CLIPBOARD) {
      this.#complain("size", "What you copied is too large to be pasted on " +
        "the desktop (16 MiB).");
      return;
    }
    const type = blob.type.startsWith("text/") ? TEXT : blob.type;
    const mine = blob.slice(0, blob.size, type);
    const name = await digest(mine);
    if (name === this.#known) return;
    this.#known = name;
    try {
      await this.#uploads.send(0, mine, type);
    } catch (error) {
      this.#known = "";
      this.#complain("send", `Pasting failed: ${
        /** @type {Error} */ (error).message}.`);
    }
  }

  /** @param {ClipboardEvent} event */
  #paste(event) {
    const target = /** @type {Partial<Element> | null} */ (event.target);
    if (target?.closest?.("[data-ui]") || !this.#works) return;
    event.preventDefault();
    const data = event.clipboardData;
    const text = data?.getData("text/plain") ?? "";
    const image = [...data?.files ?? []].find((file) => file.type === PNG);
    const blob = text ? new Blob([text], { type: TEXT }) : image;
    this.#pasting?.(blob ? this.#offer(blob) : Promise.resolve());
    this.#pasting = null;
  }

  /**
   * Once for each kind.
   * @param {string} kind
   * @param {string} text
   */
  #complain(kind, text) {
    if (this.#complained.has(kind)) return;
    this.#complained.add(kind);
    this.#say(text);
  }
}
