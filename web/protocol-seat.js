// SPDX-License-Identifier: LGPL-2.1-or-later
// The rest of the browser protocol (protocol.js): clipboard, files, the
// pointer's shape, and the rarer kinds of input.
import { HEADER, begin, text, u64 } from "./bytes.js";

const Type = Object.freeze({
  PROGRESS: 0x08,
  CURSOR: 0x11,
  CLIPBOARD: 0x12,
  TEXT: 0x8a,
  MOTION: 0x8b,
  TOUCH: 0x8c,
  LOCKS: 0x8d,
  HELD: 0x8e,
  RESIZE: 0x8f,
  FILE: 0x90,
});

export const Progress = Object.freeze({ MORE: 0, DONE: 1, FAILED: 2 });
export const Touch = Object.freeze({ DOWN: 0, MOVE: 1, UP: 2, CANCEL: 3 });

export const MAX_CLIPBOARD = 16 * 2 ** 20;
export const MAX_FILE = 16 * 2 ** 30;
export const MAX_TYPED = 1024;
/** What may be on the way before the server told how far it is. */
export const PIECE_WINDOW = 128 * 1024;
/** A viewer's messages have at most 4096 bytes. */
export const MAX_PIECE = 3500;
const MAX_NAME = 255;
const MAX_CURSOR = 256;
const MIN_SIDE = 64;
const MAX_SIDE = 8192;
const MAX_MOTION = 8192 * 256;

const FIRST = 1;
const LAST = 2;
const CANCEL = 4;
const VISIBLE = 1;
const SHAPE = 2;

/**
 * @typedef {{width: number, height: number, hotX: number, hotY: number,
 *   data: Uint8ClampedArray}} Shape RGBA, premultiplied
 * @typedef {{type: "cursor", stream: number, visible: boolean, serial: number,
 *   x: number, y: number, shape: Shape | null}} Cursor
 * @typedef {{type: "clipboard", first: boolean, last: boolean,
 *   cancel: boolean, total: number, mime: string, data: Uint8Array}} Clipboard
 * @typedef {{type: "progress", code: number, id: number, received: number,
 *   text: string}} ProgressOf
 * @typedef {Cursor | Clipboard | ProgressOf} SeatMessage
 */

/**
 * @param {DataView} view
 * @returns {Clipboard}
 */
function parseClipboard(view) {
  const flags = view.getUint8(1);
  const first = (flags & FIRST) !== 0;
  let at = HEADER + 4;
  view.getUint32(HEADER, true);
  const total = first ? u64(view, at) : 0;
  const mime = first ? text(view, at + 8) : "";
  if (first) at += 9 + view.getUint8(at + 8);
  if (total > MAX_CLIPBOARD) throw new RangeError("too large");
  return {
    type: "clipboard", first, last: (flags & LAST) !== 0,
    cancel: (flags & CANCEL) !== 0, total, mime,
    data: new Uint8Array(view.buffer, view.byteOffset + at),
  };
}

/**
 * @param {DataView} view
 * @returns {Shape}
 */
function parseShape(view) {
  const [width, height, hotX, hotY] =
    [8, 10, 12, 14].map((at) => view.getUint16(HEADER + at, true));
  const size = width * height * 4;
  if (!size || width > MAX_CURSOR || height > MAX_CURSOR || hotX >= width ||
      hotY >= height || view.byteLength !== HEADER + 16 + size) {
    throw new RangeError("cursor");
  }
  const from = view.byteOffset + HEADER + 16;
  return {
    width, height, hotX, hotY,
    data: new Uint8ClampedArray(view.buffer.slice(from, from + size)),
  };
}

/**
 * @param {DataView} view
 * @param {number} type
 * @param {number} stream
 * @returns {SeatMessage | null}
 */
export function parseSeat(view, type, stream) {
  switch (type) {
    case Type.CURSOR: {
      const flags = view.getUint8(1);
      return {
        type: "cursor", stream, visible: (flags & VISIBLE) !== 0,
        serial: view.getUint32(HEADER, true),
        x: view.getInt16(HEADER + 4, true), y: view.getInt16(HEADER + 6, true),
        shape: flags & SHAPE ? parseShape(view) : null,
      };
    }
    case Type.CLIPBOARD:
      return parseClipboard(view);
    case Type.PROGRESS:
      return {
        type: "progress", code: view.getUint16(HEADER, true),
        id: view.getUint32(HEADER + 2, true), received: u64(view, HEADER + 6),
        text: text(view, HEADER + 14),
      };
    default:
      return null;
  }
}

/**
 * A piece of the clipboard (id 0) or of a file.
 * @param {number} id
 * @param {Uint8Array} data
 * @param {{total: number, name: string} | null} first with the first piece:
 *   bytes of all, MIME type or file name
 * @param {boolean} last
 */
export function writePiece(id, data, first, last) {
  const name = new TextEncoder().encode(first?.name ?? "");
  if (name.length > MAX_NAME) throw new RangeError(`a name of ${name.length}`);
  const head = first ? 13 + name.length : 4;
  const view = begin(id ? Type.FILE : Type.CLIPBOARD,
    (first ? FIRST : 0) | (last ? LAST : 0), 0, head + data.length);
  view.setUint32(HEADER, id, true);
  if (first) {
    view.setUint32(HEADER + 4, first.total % 2 ** 32, true);
    view.setUint32(HEADER + 8, Math.floor(first.total / 2 ** 32), true);
    view.setUint8(HEADER + 12, name.length);
    new Uint8Array(view.buffer, HEADER + 13).set(name);
  }
  new Uint8Array(view.buffer, HEADER + head).set(data);
  return view.buffer;
}

/** @param {number} id */
export function writeCancel(id) {
  const view = begin(id ? Type.FILE : Type.CLIPBOARD, CANCEL, 0, 4);
  view.setUint32(HEADER, id, true);
  return view.buffer;
}

/**
 * @param {number} stream
 * @param {Uint8Array} bytes UTF-8, 1 to MAX_TYPED
 */
export function writeText(stream, bytes) {
  const view = begin(Type.TEXT, 0, stream, bytes.length);
  new Uint8Array(view.buffer, HEADER).set(bytes);
  return view.buffer;
}

/**
 * @param {number} stream
 * @param {number} dx 1/256 pixel
 * @param {number} dy
 */
export function writeMotion(stream, dx, dy) {
  const view = begin(Type.MOTION, 0, stream, 8);
  [dx, dy].forEach((v, i) => view.setInt32(HEADER + 4 * i,
    Math.min(Math.max(Math.trunc(v), -MAX_MOTION), MAX_MOTION), true));
  return view.buffer;
}

/**
 * @param {number} stream
 * @param {number} what of Touch
 * @param {number} finger
 * @param {{x: number, y: number, width: number, height: number}} at
 */
export function writeTouch(stream, what, finger, { x, y, width, height }) {
  const view = begin(Type.TOUCH, what, stream, 10);
  [finger, x, y, width, height].forEach((v, i) =>
    view.setUint16(HEADER + 2 * i, v, true));
  return view.buffer;
}

/**
 * @param {number} stream
 * @param {boolean} caps
 * @param {boolean} num
 */
export const writeLocks = (stream, caps, num) =>
  begin(Type.LOCKS, (caps ? 1 : 0) | (num ? 2 : 0), stream, 0).buffer;

/** @param {number} stream */
export const writeHeld = (stream) => begin(Type.HELD, 0, stream, 0).buffer;

/**
 * @param {number} stream
 * @param {number} width device pixels; 0: does not matter any more
 * @param {number} height
 * @param {number} ratio device pixels by CSS pixel
 */
export function writeResize(stream, width, height, ratio) {
  const view = begin(Type.RESIZE, 0, stream, 6);
  const side = (/** @type {number} */ v) =>
    width ? Math.min(Math.max(Math.round(v), MIN_SIDE), MAX_SIDE) : 0;
  view.setUint16(HEADER, side(width), true);
  view.setUint16(HEADER + 2, side(height), true);
  view.setUint16(HEADER + 4,
    Math.min(Math.max(Math.round(ratio * 120), 60), 960), true);
  return view.buffer;
}
