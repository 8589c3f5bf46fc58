// SPDX-License-Identifier: LGPL-2.1-or-later
// The page: joins the player, the picture, the input and the messages.
// Options in the query: output=NAME, thread=main, paint=canvas, fps=N,
// view=actual.
import { exposeDebug } from "./debug.js";
import { screenFor } from "./messages.js";
import { Outputs } from "./outputs.js";
import { Overlay, rowsOf } from "./overlay.js";
import { MAX_FPS } from "./protocol.js";
import { Screens } from "./screens.js";
import { Seat } from "./seat.js";
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
  #outputs = new Outputs(() => this.#switch());
  #command;
  #seat;
  #toolbar;
  #debug;

  constructor() {
    const post = this.#condition.codecs ?
      startPlayer(thread, (notice) => this.#heard(notice), () => {
        this.#condition.broken = true;
        this.#update();
      }) : () => {};
    this.#command = post;
    const actions = {
      fit: () => this.#setMode("fit"),
      actual: () => this.#setMode("actual"),
      fullscreen: () => void this.#view.toggleFullscreen(),
      info: () => this.#toggleStatistics(),
      resize: () => this.#seat.toggleFollowing(),
      capture: () => void this.#seat.capturePointer(),
      keyboard: () => this.#seat.showKeyboard(),
      clipboard: () => this.#seat.shareClipboard(),
      command: () => this.#seat.toggleCommand(),
    };
    this.#seat = new Seat((bytes) => post({ type: "send", bytes }),
      this.#surface.element, this.#view.stage, {
        KeyS: actions.info,
        KeyF: actions.fullscreen,
        KeyP: actions.capture,
        KeyM: () => {
          this.#seat.release();
          this.#toolbar.focus();
        },
      });
    this.#toolbar = new Toolbar(actions, () => this.#seat.focus(),
      () => this.#update());
    this.#debug = exposeDebug(post,
      { thread, painter: this.#surface.kind, condition: this.#condition },
      () => this.#seat.input.size);
    this.#listen();
    this.#setMode(query.get("view") === "actual" ? "actual" : "fit");
    this.#seat.focus();
    window.addEventListener("load", () => {
      this.#surface.attach();
      this.#start();
    });
    setInterval(() => this.#tick(), STATISTICS_MS);
  }

  #listen() {
    window.addEventListener("blur", () => this.#seat.release());
    window.addEventListener("pagehide", () => this.#seat.release());
    window.addEventListener("hashchange", () => this.#restart(takeToken()));
    window.addEventListener("online", () => this.#retry());
    document.addEventListener("visibilitychange", () => this.#visibility());
  }

  #start() {
    this.#condition.token = this.#token !== "";
    if (this.#condition.token && this.#condition.codecs) {
      const url = new URL("ws", location.href);
      url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
      url.search = this.#outputs.query;
      url.hash = "";
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

  /** To another output. */
  #switch() {
    this.#seat.release();
    this.#condition.attempt = 0;
    this.#start();
    this.#seat.focus();
  }

  async #findOutputs() {
    const gone = await this.#outputs.ask(this.#token);
    if (gone) {
      this.#seat.say(`There is no output ${gone} here: this is the first.`);
      this.#start();
    }
    this.#update();
  }

  #retry() {
    const { state, goodbye } = this.#condition;
    if (state !== "waiting" && !goodbye) return;
    this.#condition.goodbye = null;
    this.#command({ type: "connect" });
  }

  #visibility() {
    if (document.hidden) this.#seat.release();
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
        this.#seat.input.may = notice.may;
        this.#name = notice.name;
        condition.version = notice.version;
        this.#toolbar.describe(notice.name, notice.mayDrive);
        break;
      case "config":
        this.#seat.input.config = notice;
        if (condition.failed?.codec !== notice.codec) condition.failed = null;
        this.#view.resize(notice);
        break;
      case "cursor":
      case "clipboard":
      case "progress": this.#seat.heard(notice); return;
      case "status": condition.status = notice.code ? notice : null; break;
      case "goodbye": condition.goodbye = notice; break;
      case "failed": condition.failed = notice; break;
      case "picture":
        condition.pictured = condition.everPictured = true;
        condition.failed = null;
        break;
      case "snapshot":
        this.#overlay.fill(rowsOf(notice.snapshot, this.#seat.input.config,
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
    if (state === "open" || (state === "waiting" && this.#outputs.query)) {
      void this.#findOutputs();
    }
    if (state === "open") {
      condition.goodbye = null;
    } else {
      condition.status = null;
      condition.pictured = false;
      this.#seat.forget(); // what the server let go
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
    this.#seat.input.enabled = this.#mayDrive && condition.state === "open";
    this.#view.drive(this.#seat.input.active);
    this.#seat.update();
    this.#toolbar.offer(this.#seat.offers);
    this.#toolbar.press("resize", this.#seat.following);
    this.#toolbar.press("command", this.#seat.commandIsControl);
    document.title = [this.#outputs.shown, this.#name, "Porthole"]
      .filter((part) => part).join(" – ");
    this.#screens.show(screenFor(condition));
  }
}

new Page();
