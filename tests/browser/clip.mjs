// SPDX-License-Identifier: LGPL-2.1-or-later
// Makes an H.264 clip that looks like a desktop: colour patches, a panel, a
// grid of cells of which each frame turns one over. Encoded as hostd encodes:
// no reordering, parameter sets in band, BT.601 limited range.
import { spawn } from "node:child_process";
import { once } from "node:events";

/** Flat patches of SIZE pixels in the top row, as RGB. */
export const PATCHES = [
  [255, 255, 255], [0, 0, 0], [220, 40, 40], [40, 200, 60],
  [40, 70, 220], [230, 200, 40], [40, 190, 200], [128, 128, 128],
];
export const PATCH = 32;
/** A cell, and where the grid begins. */
export const CELL = { width: 16, height: 32, left: 16, top: 80 };

const DARK = [24, 28, 36];
const PANEL = [52, 60, 76];
const LIGHT = [225, 230, 240];

/**
 * BT.601, limited range.
 * @param {number[]} rgb
 */
function toYuv([r, g, b]) {
  return [
    16 + 0.257 * r + 0.504 * g + 0.098 * b,
    128 - 0.148 * r - 0.291 * g + 0.439 * b,
    128 + 0.439 * r - 0.368 * g - 0.071 * b,
  ].map(Math.round);
}

/** An I420 picture to draw into; coordinates and sizes are even. */
class Picture {
  /**
   * @param {number} width
   * @param {number} height
   */
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.data = Buffer.alloc(width * height * 3 / 2);
    this.fill(0, 0, width, height, DARK);
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} w
   * @param {number} h
   * @param {number[]} rgb
   */
  fill(x, y, w, h, rgb) {
    const [Y, U, V] = toYuv(rgb);
    const area = this.width * this.height;
    const half = this.width / 2;
    for (let row = y; row < y + h; row++) {
      const at = row * this.width + x;
      this.data.fill(Y, at, at + w);
    }
    for (let row = y / 2; row < (y + h) / 2; row++) {
      const at = area + row * half + x / 2;
      this.data.fill(U, at, at + w / 2);
      this.data.fill(V, at + area / 4, at + area / 4 + w / 2);
    }
  }
}

/** @param {Picture} picture */
function drawDesktop(picture) {
  picture.fill(0, 0, picture.width, 48, PANEL);
  PATCHES.forEach((rgb, i) =>
    picture.fill(8 + i * (PATCH + 4), 8, PATCH, PATCH, rgb));
  const { width, height } = picture;
  for (let y = height / 2 & ~1; y + 12 < height; y += 20) {
    for (let x = 16; x + 8 < width - 16; x += 12) {
      if ((x * 7 + y * 13) % 5) picture.fill(x, y, 8, 12, LIGHT);
    }
  }
}

/**
 * Where cell n is.
 * @param {number} n
 * @param {number} width of the picture
 */
export function cell(n, width) {
  const across = Math.floor((width - 2 * CELL.left) / CELL.width);
  return {
    x: CELL.left + n % across * CELL.width,
    y: CELL.top + Math.floor(n / across) * CELL.height,
    width: CELL.width - 4,
    height: CELL.height - 8,
  };
}

/**
 * Access units, split where the delimiters are, without these.
 * @param {Buffer} stream
 */
function split(stream) {
  const mark = Buffer.from([0, 0, 0, 1, 9]);
  const units = [];
  let at = stream.indexOf(mark);
  while (at >= 0) {
    const next = stream.indexOf(mark, at + 5);
    units.push(stream.subarray(at + 6, next < 0 ? undefined : next));
    at = next;
  }
  return units;
}

/** @param {Buffer} key an access unit with its parameter sets */
function codecOf(key) {
  const at = key.findIndex((byte, i) =>
    (byte & 0x1f) === 7 && key[i - 1] === 1 && key[i - 2] === 0);
  return `avc1.${key.toString("hex", at + 1, at + 4).toUpperCase()}`;
}

/**
 * The first unit is a keyframe; frame n > 0 lights cell n - 1.
 * @param {number} width
 * @param {number} height
 * @param {number} frames
 */
export async function makeClip(width, height, frames) {
  const encoder = spawn("ffmpeg", [
    "-v", "error", "-f", "rawvideo", "-pix_fmt", "yuv420p",
    "-s", `${width}x${height}`, "-r", "60", "-i", "-",
    "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency",
    "-crf", "20", "-g", "100000", "-x264-params", "aud=1:scenecut=0",
    "-color_range", "tv", "-colorspace", "smpte170m",
    "-color_primaries", "smpte170m", "-color_trc", "smpte170m",
    "-f", "h264", "-",
  ], { stdio: ["pipe", "pipe", "inherit"] });
  /** @type {Buffer[]} */
  const parts = [];
  encoder.stdout.on("data", (part) => parts.push(part));
  const ended = once(encoder, "close");
  const picture = new Picture(width, height);
  drawDesktop(picture);
  for (let n = 0; n < frames; n++) {
    if (n > 0) {
      const { x, y, ...size } = cell(n - 1, width);
      picture.fill(x, y, size.width, size.height, LIGHT);
    }
    if (!encoder.stdin.write(Buffer.from(picture.data))) {
      await once(encoder.stdin, "drain");
    }
  }
  encoder.stdin.end();
  const [status] = await ended;
  const units = split(Buffer.concat(parts));
  if (status !== 0 || units.length !== frames) {
    throw new Error(`ffmpeg: status ${status}, ${units.length} units`);
  }
  return { width, height, codec: codecOf(units[0]), units };
}
