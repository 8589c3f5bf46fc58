// SPDX-License-Identifier: LGPL-2.1-or-later
// Where the picture lies in the window, and which of its pixels is under the
// pointer. Pure. Windows and pointers are in CSS pixels.

/**
 * @typedef {{width: number, height: number}} Size
 * @typedef {{left: number, top: number, width: number, height: number}} Box
 * @typedef {"fit" | "actual"} Mode actual: a pixel is a pixel
 */

/**
 * The picture's box, its edges on whole device pixels: a picture of the
 * window's own size is not scaled at all.
 * @param {Size} room of the window
 * @param {Size} picture in pixels
 * @param {number} ratio devicePixelRatio
 * @param {Mode} mode
 * @returns {Box}
 */
export function place(room, picture, ratio, mode) {
  const across = room.width * ratio;
  const down = room.height * ratio;
  let scale = 1;
  if (mode === "fit") {
    scale = Math.min(across / picture.width, down / picture.height);
    // A window one rounding error off is no reason to blur everything.
    if (Math.abs(scale - 1) * Math.max(picture.width, picture.height) < 1) {
      scale = 1;
    }
  }
  const width = Math.max(1, Math.round(picture.width * scale));
  const height = Math.max(1, Math.round(picture.height * scale));
  return {
    left: Math.max(0, Math.floor((across - width) / 2)) / ratio,
    top: Math.max(0, Math.floor((down - height) / 2)) / ratio,
    width: width / ratio,
    height: height / ratio,
  };
}

/**
 * The pixel at a point; the nearest one when the point is outside.
 * @param {Box} box where the picture is on screen now
 * @param {Size} picture
 * @param {number} x
 * @param {number} y
 */
export function pixelAt(box, picture, x, y) {
  return {
    x: nearest((x - box.left) / box.width, picture.width),
    y: nearest((y - box.top) / box.height, picture.height),
  };
}

/**
 * @param {number} part
 * @param {number} count
 */
function nearest(part, count) {
  // 1e-9: a point exactly between two pixels belongs to the second.
  return Math.min(Math.max(Math.floor(part * count + 1e-9), 0), count - 1);
}
