// SPDX-License-Identifier: LGPL-2.1-or-later
// Where the picture is on the page: fitted or pixel by pixel, in the window or
// on the full screen.
import { place } from "./geometry.js";
import { log } from "./log.js";
import { find } from "./screens.js";

export class View {
  #stage = find(document, "#stage");
  #surface;
  /** @type {import("./geometry.js").Size | null} */
  #picture = null;
  /** @type {import("./geometry.js").Mode} */
  #mode = "fit";

  /** @param {HTMLElement} surface */
  constructor(surface) {
    this.#surface = surface;
    surface.id = "surface";
    surface.hidden = true;
    this.#stage.append(surface);
    new ResizeObserver(() => this.#layout()).observe(this.#stage);
    this.#watchRatio();
  }

  get mode() {
    return this.#mode;
  }

  get stage() {
    return this.#stage;
  }

  /** @param {import("./geometry.js").Size} picture */
  resize(picture) {
    this.#picture = picture;
    this.#layout();
  }

  /** @param {import("./geometry.js").Mode} mode */
  setMode(mode) {
    this.#mode = mode;
    this.#layout();
  }

  /** Is it this page that drives? Then the desktop's cursor is enough. */
  drive(/** @type {boolean} */ driving) {
    this.#stage.classList.toggle("driving", driving);
  }

  async toggleFullscreen() {
    try {
      if (document.fullscreenElement) {
        await document.exitFullscreen();
        return;
      }
      await document.documentElement.requestFullscreen(
        { navigationUI: "hide" });
      // Then Escape, Alt+Tab and the like go to the desktop as well.
      await /** @type {any} */ (navigator).keyboard?.lock?.();
    } catch (error) {
      log("warn", "full screen", error);
    }
  }

  /** A window on another monitor, or a zoomed page, has another ratio. */
  #watchRatio() {
    const query = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
    query.addEventListener("change", () => {
      this.#layout();
      this.#watchRatio();
    }, { once: true });
  }

  #layout() {
    if (!this.#picture) return;
    this.#stage.dataset.mode = this.#mode;
    const room = {
      width: this.#stage.offsetWidth, height: this.#stage.offsetHeight,
    };
    const box = place(room, this.#picture, devicePixelRatio, this.#mode);
    const { style } = this.#surface;
    style.left = `${box.left}px`;
    style.top = `${box.top}px`;
    style.width = `${box.width}px`;
    style.height = `${box.height}px`;
    this.#surface.hidden = false;
  }
}
