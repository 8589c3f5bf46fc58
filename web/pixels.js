// SPDX-License-Identifier: LGPL-2.1-or-later
// Looks into decoded pictures, for tests and measurements: what is at a place,
// and when does a place change. Runs where the decoder runs.
import { now } from "./clock.js";

/** @typedef {{x: number, y: number, width: number, height: number}} Rect */

/**
 * RGBA bytes of a rectangle, as the page would show them.
 * @param {VideoFrame} frame
 * @param {Rect} rect
 */
export function readPixels(frame, { x, y, width, height }) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("no 2D context");
  context.drawImage(frame, x, y, width, height, 0, 0, width, height);
  return context.getImageData(0, 0, width, height).data;
}

/**
 * The decoder's own bytes of a rectangle, which grows to even coordinates.
 * @param {VideoFrame} frame
 * @param {Rect} rect
 */
async function rawBytes(frame, { x, y, width, height }) {
  const left = x & ~1;
  const top = y & ~1;
  const rect = {
    x: left, y: top,
    width: (x + width - left + 1) & ~1, height: (y + height - top + 1) & ~1,
  };
  const bytes = new Uint8Array(frame.allocationSize({ rect }));
  await frame.copyTo(bytes, { rect });
  return bytes;
}

/**
 * @param {Uint8Array} a
 * @param {Uint8Array} b
 */
function same(a, b) {
  return a.length === b.length && a.every((v, i) => v === b[i]);
}

/**
 * @typedef {import("./decoder.js").Picture} Picture
 * @typedef {import("./player.js").Shown} Shown
 * @typedef {import("./player.js").Change} Change
 * @typedef {{frame: VideoFrame, picture: Picture}} Decoded
 * @typedef {{rect: Rect, before: Uint8Array}} Watch
 */

/** Frames that were presented, to look a change up. */
const MAX_SHOWN = 64;

/** Rectangles, as they were, until a picture shows them otherwise. */
export class Watches {
  #report;
  #offset;
  /** @type {Map<number, Watch>} */
  #watches = new Map();
  /** @type {{id: number, picture: Picture, noticed: number}[]} changes whose
   * pictures were not presented yet */
  #unshown = [];
  /** @type {Shown[]} */
  #shown = [];
  /** @type {Decoded | null} the newest picture */
  #newest = null;

  /**
   * @param {(id: number, change: Change | null) => void} report null: the
   *   watch began
   * @param {() => number} offset of the server's clock to ours
   */
  constructor(report, offset) {
    this.#report = report;
    this.#offset = offset;
  }

  get lastShown() {
    return this.#shown.at(-1) ?? null;
  }

  /**
   * @param {number} id
   * @param {Rect} rect
   * @param {Decoded | null} from
   */
  async begin(id, rect, from) {
    if (!from) return;
    const frame = from.frame.clone();
    const before = await rawBytes(frame, rect);
    frame.close();
    this.#watches.set(id, { rect, before });
    this.#report(id, null);
    if (this.#newest && this.#newest.picture !== from.picture) {
      this.look(this.#newest); // it came in the meantime
    }
  }

  /** @param {Decoded} decoded stays the caller's */
  look(decoded) {
    this.#newest = decoded;
    for (const [id, watch] of this.#watches) {
      this.#compare(id, watch, decoded.frame.clone(), decoded.picture);
    }
  }

  /** @param {Shown} shown */
  shown(shown) {
    this.#shown.push(shown);
    if (this.#shown.length > MAX_SHOWN) this.#shown.shift();
    this.#flush();
  }

  /**
   * @param {number} id
   * @param {Watch} watch
   * @param {VideoFrame} frame ours
   * @param {Picture} picture
   */
  async #compare(id, { rect, before }, frame, picture) {
    const bytes = await rawBytes(frame, rect);
    const noticed = now();
    frame.close();
    if (same(bytes, before) || !this.#watches.delete(id)) return;
    this.#unshown.push({ id, picture, noticed });
    this.#flush();
  }

  #flush() {
    this.#unshown = this.#unshown.filter(({ id, picture, noticed }) => {
      const { timestamp, arrived, decoded, message } = picture;
      const shown = this.#shown.find((s) => s.timestamp >= timestamp);
      if (!shown) return true;
      const offset = this.#offset();
      this.#report(id, {
        ...shown, sequence: message.sequence,
        captured: message.captured - offset, sent: message.sent - offset,
        arrived, decoded, noticed,
      });
      return false;
    });
  }
}
