// SPDX-License-Identifier: LGPL-2.1-or-later
// The desktop's pointer: the browser's own cursor in its shape where this page
// drives, so that it moves without a round trip; drawn over the picture where
// somebody else does, where the pointer is locked, and where it is too large
// for browsers. Never both. Where none was told it is in the picture.

/** Browsers show no larger one. */
const MAX_CSS = 128;
const MAX_SHAPES = 64;

/**
 * @typedef {import("./protocol-seat.js").Cursor} Cursor
 * @typedef {import("./protocol-seat.js").Shape} Shape
 * @typedef {{image: HTMLCanvasElement, url: string, shape: Shape}} Drawn
 */

/**
 * @param {Shape} shape
 * @returns {Drawn}
 */
function draw(shape) {
  const image = document.createElement("canvas");
  image.width = shape.width;
  image.height = shape.height;
  const pixels = new Uint8ClampedArray(shape.data);
  for (let i = 0; i < pixels.length; i += 4) {
    const alpha = pixels[i + 3]; // what a canvas takes is not premultiplied
    for (let c = 0; alpha && c < 3; c++) {
      pixels[i + c] = Math.min(255, pixels[i + c] * 255 / alpha);
    }
  }
  image.getContext("2d")?.putImageData(
    new ImageData(pixels, shape.width, shape.height), 0, 0);
  return { image, url: image.toDataURL(), shape };
}

export class Cursors {
  #surface;
  #picture;
  /** @type {Map<number, Drawn>} by serial */
  #shapes = new Map();
  /** @type {Cursor | null} */
  #now = null;
  #driving = false;
  #locked = false;
  #shown = "";
  /** @type {HTMLCanvasElement | null} */
  #overlay = null;
  /** @type {{x: number, y: number} | null} the page's own pointer */
  #own = null;

  /**
   * @param {HTMLElement} surface
   * @param {() => import("./geometry.js").Size} picture
   */
  constructor(surface, picture) {
    this.#surface = surface;
    this.#picture = picture;
    surface.addEventListener("pointermove", (event) => {
      this.#own = { x: event.clientX, y: event.clientY };
      if (this.#overlay) this.#place();
    });
  }

  /** @param {Cursor} cursor */
  show(cursor) {
    if (cursor.shape) {
      this.#shapes.delete(cursor.serial);
      this.#shapes.set(cursor.serial, draw(cursor.shape));
      const [oldest] = this.#shapes.keys();
      if (this.#shapes.size > MAX_SHAPES) this.#shapes.delete(oldest);
    }
    this.#now = cursor;
    this.#update();
  }

  /** Another server knows nothing of these. */
  forget() {
    this.#shapes.clear();
    this.#now = null;
    this.#update();
  }

  /**
   * @param {boolean} driving
   * @param {boolean} locked
   */
  drive(driving, locked) {
    this.#driving = driving;
    this.#locked = locked;
    this.#update();
  }

  #update() {
    const cursor = this.#now;
    const drawn = cursor && this.#shapes.get(cursor.serial);
    const visible = Boolean(cursor?.visible && drawn);
    const large = drawn &&
      Math.max(drawn.shape.width, drawn.shape.height) > MAX_CSS;
    const own = this.#driving && !this.#locked;
    let style = own ? "none" : "";
    if (own && visible && drawn && !large) {
      const { hotX, hotY } = drawn.shape;
      style = `url("${drawn.url}") ${hotX} ${hotY}, default`;
    }
    if (style !== this.#shown) this.#surface.style.cursor = style;
    this.#shown = style;
    this.#lay(visible && (!own || large) && drawn ? drawn.image : null);
  }

  /** @param {HTMLCanvasElement | null} image */
  #lay(image) {
    if (image !== this.#overlay) {
      this.#overlay?.remove();
      this.#overlay = image;
      if (image) {
        image.className = "pointer";
        this.#surface.after(image);
      }
    }
    if (image) this.#place();
  }

  #place() {
    const cursor = this.#now;
    const shape = cursor && this.#shapes.get(cursor.serial)?.shape;
    if (!shape || !this.#overlay) return;
    const box = this.#surface.getBoundingClientRect();
    const { width, height } = this.#picture();
    const scaleX = box.width / Math.max(width, 1);
    const scaleY = box.height / Math.max(height, 1);
    const own = this.#driving && !this.#locked && this.#own;
    const x = own ? own.x - box.left : (cursor.x + 0.5) * scaleX;
    const y = own ? own.y - box.top : (cursor.y + 0.5) * scaleY;
    const { style } = this.#overlay;
    const parent = this.#surface.offsetParent?.getBoundingClientRect();
    style.left = `${box.left - (parent?.left ?? 0) + x - shape.hotX * scaleX}px`;
    style.top = `${box.top - (parent?.top ?? 0) + y - shape.hotY * scaleY}px`;
    style.width = `${shape.width * scaleX}px`;
    style.height = `${shape.height * scaleY}px`;
  }
}
