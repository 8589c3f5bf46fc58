// SPDX-License-Identifier: LGPL-2.1-or-later
// Files that are dropped on the page go to the desktop's download folder, one
// after the other.
import { May } from "./protocol.js";
import { MAX_FILE } from "./protocol-seat.js";

export class Files {
  #input;
  #uploads;
  #toast;
  /** @type {File[]} */
  #waiting = [];
  #id = 0;
  #running = false;

  /**
   * @param {import("./input.js").Input} input
   * @param {import("./transfer.js").Uploads} uploads
   * @param {import("./toast.js").Toast} toast
   * @param {HTMLElement} stage
   */
  constructor(input, uploads, toast, stage) {
    this.#input = input;
    this.#uploads = uploads;
    this.#toast = toast;
    // Without these the browser would open the file in place of the page.
    window.addEventListener("dragover", (event) => {
      event.preventDefault();
      const files = event.dataTransfer?.types.includes("Files");
      const takes = Boolean(files) && this.#input.active;
      stage.classList.toggle("dropping", takes);
      if (event.dataTransfer) {
        event.dataTransfer.dropEffect = takes ? "copy" : "none";
      }
    });
    window.addEventListener("dragleave", () =>
      stage.classList.remove("dropping"));
    window.addEventListener("drop", (event) => {
      event.preventDefault();
      stage.classList.remove("dropping");
      this.take([...event.dataTransfer?.files ?? []]);
    });
  }

  /** @param {File[]} files */
  take(files) {
    if (!this.#input.active || !files.length) return;
    if (!(this.#input.may & May.FILE)) {
      this.#toast.say("This desktop takes no files (--downloads none).");
      return;
    }
    this.#waiting.push(...files);
    void this.#run();
  }

  async #run() {
    if (this.#running) return;
    this.#running = true;
    for (let file = this.#waiting.shift(); file;
      file = this.#waiting.shift()) {
      await this.#one(file);
    }
    this.#running = false;
  }

  /** @param {File} file */
  async #one(file) {
    const { name } = file;
    if (file.size > MAX_FILE) {
      this.#toast.say(`${name} is too large (16 GiB at most).`);
      return;
    }
    const id = ++this.#id;
    const show = (/** @type {number} */ part) =>
      this.#toast.progress(`Sending ${name}`, part,
        () => this.#uploads.cancel(id));
    show(0);
    try {
      const got = await this.#uploads.send(id, file, name.slice(-80), show);
      this.#toast.say(`${got} is in the desktop's download folder.`);
    } catch (error) {
      this.#toast.say(`${name} was not sent: ${
        /** @type {Error} */ (error).message}.`);
    }
  }
}
