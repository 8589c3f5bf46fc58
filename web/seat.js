// SPDX-License-Identifier: LGPL-2.1-or-later
// Everything of the desktop but its picture, joined for the page: keyboard,
// typing, pointer, cursor, clipboard, files, and the size it is asked for.
import { Clipboard } from "./clipboard.js";
import { Cursors } from "./cursor.js";
import { Files } from "./files.js";
import { Input } from "./input.js";
import { Keyboard, isPaste } from "./keyboard.js";
import { Pointer } from "./pointer.js";
import { May } from "./protocol.js";
import { find } from "./screens.js";
import { Toast } from "./toast.js";
import { Uploads } from "./transfer.js";
import { Typing } from "./typing.js";

const HELD_MS = 500;
const RESIZE_MS = 300;
const COMMAND_KEY = "porthole-command";
const MAC = /^(Mac|iP)/.test(navigator.platform);

export class Seat {
  input;
  #surface;
  #stage;
  #toast = new Toast();
  #uploads;
  #keyboard;
  #pointer;
  #typing;
  #cursors;
  #clipboard;
  #locked = false;
  #following = false;
  #asked = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #resizeTimer;

  /**
   * @param {(bytes: ArrayBuffer) => void} send
   * @param {HTMLElement} surface
   * @param {HTMLElement} stage
   * @param {Record<string, () => void>} shortcuts
   */
  constructor(send, surface, stage, shortcuts) {
    this.#surface = surface;
    this.#stage = stage;
    this.input = new Input(send);
    this.#uploads = new Uploads(send);
    this.#clipboard = new Clipboard(this.input, this.#uploads,
      (text) => this.#toast.say(text));
    this.#keyboard = new Keyboard(this.input, shortcuts, MAC);
    this.#keyboard.commandIsControl =
      MAC && localStorage.getItem(COMMAND_KEY) !== "meta";
    window.addEventListener("keydown", (event) => {
      if (isPaste(event) && !event.repeat) this.#clipboard.pasteKey();
    }, { capture: true });
    this.#keyboard.listen(window);
    this.#typing = new Typing(this.input,
      /** @type {HTMLTextAreaElement} */ (find(stage, "#typing")));
    this.#cursors = new Cursors(surface, () => this.input.size);
    this.#pointer = new Pointer(this.input, surface, () => this.focus());
    new Files(this.input, this.#uploads, this.#toast, stage);
    document.addEventListener("pointerlockchange", () => {
      this.#locked = document.pointerLockElement === surface;
      this.#pointer.locked = this.#locked;
      this.update();
    });
    new ResizeObserver(() => this.#resized()).observe(stage);
    setInterval(() => {
      if (this.#keyboard.holds || this.#pointer.holds) this.input.held();
    }, HELD_MS);
  }

  /** Which of the toolbar's buttons make sense here. */
  get offers() {
    const { may } = this.input;
    const active = this.input.active;
    return {
      resize: active && (may & May.RESIZE) !== 0,
      capture: active && (may & May.MOTION) !== 0 &&
        matchMedia("(any-pointer: fine)").matches,
      keyboard: active && (may & May.TEXT) !== 0 &&
        matchMedia("(any-pointer: coarse)").matches,
      clipboard: active && (may & May.CLIPBOARD) !== 0 &&
        Boolean(navigator.clipboard?.read),
      command: active && MAC,
    };
  }

  get following() {
    return this.#following;
  }

  get commandIsControl() {
    return this.#keyboard.commandIsControl;
  }

  focus() {
    this.#typing.focus();
  }

  release() {
    this.#keyboard.release();
    this.#pointer.forget();
  }

  /** The connection went: what was on its way is lost. */
  forget() {
    this.release();
    this.#uploads.forget();
    this.#clipboard.forget();
    this.#cursors.forget();
    this.#asked = "";
  }

  update() {
    this.#cursors.drive(this.input.active, this.#locked);
    this.#resized();
  }

  /** @param {import("./protocol-seat.js").SeatMessage} message */
  heard(message) {
    switch (message.type) {
      case "cursor": this.#cursors.show(message); break;
      case "clipboard": void this.#clipboard.heard(message); break;
      case "progress": this.#uploads.heard(message); break;
    }
  }

  /** @param {string} text to the person */
  say(text) {
    this.#toast.say(text);
  }

  // --- what the toolbar does ---

  toggleCommand() {
    const control = !this.#keyboard.commandIsControl;
    this.#keyboard.release();
    this.#keyboard.commandIsControl = control;
    localStorage.setItem(COMMAND_KEY, control ? "control" : "meta");
  }

  shareClipboard() {
    void this.#clipboard.ask();
  }

  showKeyboard() {
    this.#typing.showKeyboard(true);
  }

  async capturePointer() {
    try {
      await this.#surface.requestPointerLock();
      this.focus();
      this.#toast.say("The pointer is captured: Escape gives it back.");
    } catch {
      this.#toast.say("This browser does not let the page have the pointer.");
    }
  }

  /** The desktop takes the size of the window, or not any more. */
  toggleFollowing() {
    this.#following = !this.#following;
    if (!this.#following) this.input.resize(0, 0, 1);
    this.#asked = "";
    this.#resized();
  }

  #resized() {
    if (!this.#following || !this.input.active) return;
    clearTimeout(this.#resizeTimer);
    this.#resizeTimer = setTimeout(() => {
      const ratio = devicePixelRatio;
      const width = Math.round(this.#stage.offsetWidth * ratio);
      const height = Math.round(this.#stage.offsetHeight * ratio);
      const asked = `${width} ${height} ${ratio}`;
      if (asked === this.#asked || !this.#following) return;
      this.#asked = asked;
      this.input.resize(width, height, ratio);
    }, RESIZE_MS);
  }
}
