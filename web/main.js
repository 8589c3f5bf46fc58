// SPDX-License-Identifier: LGPL-2.1-or-later
// The page: joins the player, the picture, the input and the messages.
// Options in the query: thread=main, paint=canvas, fps=N, view=actual.
import { exposeDebug } from "./debug.js";
import { Input } from "./input.js";
import { Keyboard } from "./keyboard.js";
import { screenFor } from "./messages.js";
import { Overlay, rowsOf } from "./overlay.js";
import { Pointer } from "./pointer.js";
import { MAX_FPS } from "./protocol.js";
import { Screens } from "./screens.js";
import { createSurface } from "./surface.js";
import { startPlayer } from "./thread.js";
import { keepToken, takeToken } from "./token.js";
import { Toolbar } from "./toolbar.js";
import { View } from "./view.js";

const STATISTICS_MS = 500;

const query = new URLSearchParams(location.search);
const thread = query.get("thread") === "main" ? "main" : "worker";

class Page {
  /** @type {import("./messages.js").Condition} */
  #condition = {
    secure: isSecureContext,
    codecs: "VideoDecoder" in globalThis,
    broken: false,
    token: false,
    state: "connecting",
    attempt: 0,
    seconds: 0,
    pictured: false,
    everPictured: false,
    status: null,
    goodbye: null,
    failed: null,
    version: 1,
    host: location.host,
  };
  #token = takeToken();
  #started = false;
  #retryAt = 0;
  #mayDrive = false;
  #name = "";

  #surface = createSurface(query.get("paint"), (timestamp, at, painted) =>
    this.#command({ type: "presented", timestamp, at, painted }));
  #view = new View(this.#surface.element);
  #screens = new Screens({
    retry: () => this.#retry(),
    token: (token) => this.#restart(token),
  });
  #overlay = new Overlay();
  #command;
  #input;
  #keyboard;
  #pointer;
  #toolbar;
  #debug;

  constructor() {
    const post = this.#condition.codecs ?
      startPlayer(thread, (notice) => this.#heard(notice), () => {
        this.#condition.broken = true;
        this.#update();
      }) : () => {};
    this.#command = post;
    this.#input = new Input((bytes) => post({ type: "send", bytes }));
    const actions = {
      fit: () => this.#setMode("fit"),
      actual: () => this.#setMode("actual"),
      fullscreen: () => void this.#view.toggleFullscreen(),
      info: () => this.#toggleStatistics(),
    };
    this.#toolbar = new Toolbar(actions, () => this.#view.stage.focus());
    this.#keyboard = new Keyboard(this.#input, {
      KeyS: actions.info,
      KeyF: actions.fullscreen,
      KeyM: () => {
        this.#keyboard.release();
        this.#toolbar.focus();
      },
    });
    this.#pointer = new Pointer(this.#input, this.#surface.element);
    this.#debug = exposeDebug(post,
      { thread, painter: this.#surface.kind, condition: this.#condition },
      () => this.#input.size);
    this.#listen();
    this.#setMode(query.get("view") === "actual" ? "actual" : "fit");
    this.#view.stage.focus();
    window.addEventListener("load", () => {
      this.#surface.attach();
      this.#start();
    });
    setInterval(() => this.#tick(), STATISTICS_MS);
  }

  #listen() {
    this.#keyboard.listen(window);
    window.addEventListener("blur", () => this.#release());
    window.addEventListener("pagehide", () => this.#release());
    window.addEventListener("hashchange", () => this.#restart(takeToken()));
    window.addEventListener("online", () => this.#retry());
    document.addEventListener("visibilitychange", () => this.#visibility());
  }

  #start() {
    this.#condition.token = this.#token !== "";
    if (this.#condition.token && this.#condition.codecs) {
      const url = new URL("ws", location.href);
      url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
      url.search = url.hash = "";
      const fps = Math.min(Number(query.get("fps")) || 0, MAX_FPS);
      this.#command({
        type: "start", url: url.href, token: this.#token, fps,
        ...this.#started ? {} : this.#surface.target,
      });
      this.#started = true;
      this.#visibility();
    }
    this.#update();
  }

  /** @param {string} token */
  #restart(token) {
    if (token) keepToken(token);
    this.#token = token || this.#token;
    this.#condition.goodbye = null;
    this.#condition.attempt = 0;
    this.#start();
  }

  #retry() {
    const { state, goodbye } = this.#condition;
    if (state !== "waiting" && !goodbye) return;
    this.#condition.goodbye = null;
    this.#command({ type: "connect" });
  }

  #release() {
    this.#keyboard.release();
    this.#pointer.forget();
  }

  #visibility() {
    if (document.hidden) this.#release();
    this.#command({ type: "pause", paused: document.hidden });
  }

  /** @param {import("./geometry.js").Mode} mode */
  #setMode(mode) {
    this.#view.setMode(mode);
    this.#toolbar.press("fit", mode === "fit");
    this.#toolbar.press("actual", mode === "actual");
  }

  #toggleStatistics() {
    this.#overlay.show(!this.#overlay.visible);
    this.#toolbar.press("info", this.#overlay.visible);
    this.#tick();
  }

  /** @param {import("./player.js").Notice} notice */
  #heard(notice) {
    const condition = this.#condition;
    switch (notice.type) {
      case "state": this.#connected(notice); break;
      case "welcome":
        this.#mayDrive = notice.mayDrive;
        this.#name = notice.name;
        condition.version = notice.version;
        this.#toolbar.describe(notice.name, notice.mayDrive);
        break;
      case "config":
        this.#input.config = notice;
        if (condition.failed?.codec !== notice.codec) condition.failed = null;
        this.#view.resize(notice);
        break;
      case "status": condition.status = notice.code ? notice : null; break;
      case "goodbye": condition.goodbye = notice; break;
      case "failed": condition.failed = notice; break;
      case "picture":
        condition.pictured = condition.everPictured = true;
        condition.failed = null;
        break;
      case "snapshot":
        this.#overlay.fill(rowsOf(notice.snapshot, this.#input.config,
          `${this.#surface.kind}, ${thread}`));
        this.#debug(notice);
        break;
      default: this.#debug(notice);
    }
    this.#update();
  }

  /** @param {Extract<import("./player.js").Notice, {type: "state"}>} notice */
  #connected({ state, attempt, retryIn }) {
    const condition = this.#condition;
    condition.state = state;
    condition.attempt = attempt;
    this.#retryAt = performance.now() + retryIn;
    if (state === "open") {
      condition.goodbye = null;
    } else {
      condition.status = null;
      condition.pictured = false;
      this.#release(); // of what the server let go: forget it
    }
  }

  #tick() {
    if (this.#overlay.visible) this.#command({ type: "snapshot" });
    if (this.#condition.state === "waiting") this.#update();
  }

  #update() {
    const condition = this.#condition;
    condition.seconds =
      Math.max(1, Math.ceil((this.#retryAt - performance.now()) / 1000));
    this.#input.enabled = this.#mayDrive && condition.state === "open";
    this.#view.drive(this.#input.active);
    document.title = this.#name ? `${this.#name} – Porthole` : "Porthole";
    this.#screens.show(screenFor(condition));
  }
}

new Page();
