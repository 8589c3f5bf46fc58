// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures onto the screen. A painter runs where the decoder runs and takes
// each VideoFrame over; the newest wins.
//
// "presented" is, for a track, when the <video> handed the picture to the
// compositor (requestVideoFrameCallback's presentationTime, which the page
// reports: player.presented()); for a canvas, the first animation frame after
// it was drawn. Both are up to one refresh before light leaves the monitor.

/**
 * @typedef {object} Painter
 * @property {(frame: VideoFrame) => void} paint takes the frame over
 * @property {() => void} close
 */

/**
 * Into a MediaStreamTrackGenerator, shown by a <video>: cheapest, Chromium's.
 * @implements {Painter}
 */
export class TrackPainter {
  #writer;
  /** @type {VideoFrame | null} */
  #next = null;
  #writing = 0;

  /** @param {WritableStream<VideoFrame>} writable */
  constructor(writable) {
    this.#writer = writable.getWriter();
  }

  /** @param {VideoFrame} frame */
  paint(frame) {
    if (this.#writing < 2) {
      this.#write(frame);
      return;
    }
    this.#next?.close();
    this.#next = frame;
  }

  close() {
    this.#next?.close();
    this.#next = null;
    this.#writer.close().catch(() => {});
  }

  /** @param {VideoFrame} frame */
  async #write(frame) {
    this.#writing++;
    try {
      await this.#writer.write(frame);
    } catch {
      frame.close(); // the track ended
    }
    this.#writing--;
    const next = this.#next;
    this.#next = null;
    if (next) this.#write(next);
  }
}

/**
 * Onto a canvas, everywhere else.
 * @implements {Painter}
 */
export class CanvasPainter {
  #canvas;
  #context;
  #presented;
  /** @type {number[]} timestamps drawn since the last animation frame */
  #drawn = [];

  /**
   * @param {OffscreenCanvas} canvas
   * @param {(timestamp: number) => void} presented
   */
  constructor(canvas, presented) {
    this.#canvas = canvas;
    const context = canvas.getContext("2d", { alpha: false });
    if (!context) throw new Error("the canvas has no 2D context");
    this.#context = context;
    this.#presented = presented;
  }

  /** @param {VideoFrame} frame */
  paint(frame) {
    const { displayWidth, displayHeight } = frame;
    if (this.#canvas.width !== displayWidth ||
        this.#canvas.height !== displayHeight) {
      this.#canvas.width = displayWidth;
      this.#canvas.height = displayHeight;
    }
    this.#context.drawImage(frame, 0, 0);
    this.#drawn.push(frame.timestamp);
    frame.close();
    if (this.#drawn.length > 1) return;
    requestAnimationFrame(() => {
      const newest = this.#drawn.at(-1);
      this.#drawn = [];
      if (newest !== undefined) this.#presented(newest);
    });
  }

  close() {
    this.#drawn = [];
  }
}
