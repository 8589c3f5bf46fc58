// SPDX-License-Identifier: LGPL-2.1-or-later
// The browser protocol "porthole.1": bytes to objects and back. Nothing else
// in the page touches a DataView but protocol-seat.js (clipboard, cursor and so
// on) and bytes.js. Layout: docs/protocol.md, "Browser protocol"; truth:
// tests/golden/stream-*.hex, which C reads as well. Times are µs of the
// server's monotonic clock; sizes are pixels.
import { HEADER, ProtocolError, begin, text, u64 } from "./bytes.js";
import { parseSeat } from "./protocol-seat.js";

export { ProtocolError };

export const SUBPROTOCOL = "porthole.1";
export const VERSION = 1;
export const MAX_TOKEN = 128;
export const MAX_FPS = 240;

export const Type = Object.freeze({
  WELCOME: 0x01,
  CONFIG: 0x02,
  FRAME: 0x03,
  UNCHANGED: 0x04,
  PONG: 0x05,
  STATUS: 0x06,
  GOODBYE: 0x07,
  AUTH: 0x80,
  KEY: 0x81,
  POINTER: 0x82,
  BUTTON: 0x83,
  WHEEL: 0x84,
  RELEASE_ALL: 0x85,
  PING: 0x86,
  ACK: 0x87,
  KEYFRAME: 0x88,
  SETTINGS: 0x89,
});

export const Status = Object.freeze({
  OK: 0,
  NO_HOST: 1,
  NO_FRAME: 2,
  NO_DESKTOP: 3,
});

/** What a viewer may do, and what the desktop can. */
export const May = Object.freeze({
  DRIVE: 1, CLIPBOARD: 2, TEXT: 4, MOTION: 8, TOUCH: 16, RESIZE: 32, FILE: 64,
});

export const Goodbye = Object.freeze({
  BAD_TOKEN: 1,
  BAD_MESSAGE: 2,
  TOO_MANY: 3,
  SESSION_OVER: 4,
});

/** A frame's way in the server, in this order; the sum is sent - captured. */
export const STAGES = Object.freeze(/** @type {const} */ ([
  "capture", "convert", "submit", "link", "wait", "encode", "queue",
]));

const FRAME_HEAD = 52;
const FRAME_KEY = 1;
const FRAME_REPEAT = 2;
const PRESSED = 1;
const SMOOTH = 1;
const PAUSED = 1;

/**
 * @typedef {{type: "welcome", version: number, mayDrive: boolean,
 *   may: number, name: string}} Welcome
 * @typedef {{type: "config", stream: number, width: number, height: number,
 *   codec: string}} Config
 * @typedef {{type: "frame", stream: number, key: boolean, repeat: boolean,
 *   sequence: number, captured: number, sent: number, stages: number[],
 *   data: Uint8Array}} Frame
 * @typedef {{type: "unchanged", stream: number, now: number}} Unchanged
 * @typedef {{type: "pong", token: number, server: number}} Pong
 * @typedef {{type: "status" | "goodbye", code: number, text: string}} Notice
 * @typedef {Welcome | Config | Frame | Unchanged | Pong | Notice
 *   | import("./protocol-seat.js").SeatMessage} Message
 */

/**
 * @param {DataView} view
 * @returns {Frame}
 */
function parseFrame(view) {
  if (view.byteLength <= FRAME_HEAD) throw new RangeError("frame");
  const flags = view.getUint8(1);
  return {
    type: "frame",
    stream: view.getUint16(2, true),
    key: (flags & FRAME_KEY) !== 0,
    repeat: (flags & FRAME_REPEAT) !== 0,
    sequence: view.getUint32(4, true),
    captured: u64(view, 8),
    sent: u64(view, 16),
    stages: STAGES.map((_, i) => view.getUint32(24 + 4 * i, true)),
    data: new Uint8Array(view.buffer, view.byteOffset + FRAME_HEAD),
  };
}

/**
 * @param {DataView} view
 * @returns {Config}
 */
function parseConfig(view) {
  const width = view.getUint16(HEADER, true);
  const height = view.getUint16(HEADER + 2, true);
  if (!width || !height) throw new RangeError("size 0");
  return {
    type: "config", stream: view.getUint16(2, true), width, height,
    codec: text(view, HEADER + 4),
  };
}

/**
 * @param {DataView} view
 * @returns {Welcome}
 */
function parseWelcome(view) {
  const may = view.getUint16(HEADER + 2, true);
  return {
    type: "welcome", version: view.getUint16(HEADER, true),
    mayDrive: (may & May.DRIVE) !== 0, may, name: text(view, HEADER + 4),
  };
}

/**
 * @param {DataView} view
 * @returns {Message | null}
 */
function parseView(view) {
  const type = view.getUint8(0);
  const stream = view.getUint16(2, true);
  switch (type) {
    case Type.WELCOME:
      return parseWelcome(view);
    case Type.CONFIG:
      return parseConfig(view);
    case Type.FRAME:
      return parseFrame(view);
    case Type.UNCHANGED:
      return { type: "unchanged", stream, now: u64(view, HEADER) };
    case Type.PONG:
      return {
        type: "pong", token: u64(view, HEADER), server: u64(view, HEADER + 8),
      };
    case Type.STATUS:
    case Type.GOODBYE:
      return {
        type: type === Type.STATUS ? "status" : "goodbye",
        code: view.getUint16(HEADER, true), text: text(view, HEADER + 2),
      };
    default:
      return parseSeat(view, type, stream);
  }
}

/**
 * Reads what a server sent; null for a type that this page does not know.
 * A frame's data points into the message. Throws ProtocolError.
 * @param {ArrayBuffer} buffer
 */
export function parse(buffer) {
  try {
    return parseView(new DataView(buffer));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ProtocolError(`a malformed message of ${buffer.byteLength} ` +
      `bytes: ${error.message}`);
  }
}

/** @param {string} token */
export function writeAuth(token) {
  const bytes = new TextEncoder().encode(token);
  if (bytes.length < 1 || bytes.length > MAX_TOKEN) {
    throw new ProtocolError(`a token of ${bytes.length} bytes`);
  }
  const view = begin(Type.AUTH, 0, 0, 1 + bytes.length);
  view.setUint8(HEADER, bytes.length);
  new Uint8Array(view.buffer, HEADER + 1).set(bytes);
  return view.buffer;
}

/**
 * @param {number} type
 * @param {number} stream
 * @param {number} code
 * @param {boolean} pressed
 */
function writePress(type, stream, code, pressed) {
  const view = begin(type, pressed ? PRESSED : 0, stream, 2);
  view.setUint16(HEADER, code, true);
  return view.buffer;
}

/**
 * @param {number} stream
 * @param {number} code Linux evdev
 * @param {boolean} pressed
 */
export function writeKey(stream, code, pressed) {
  return writePress(Type.KEY, stream, code, pressed);
}

/**
 * @param {number} stream
 * @param {number} code BTN_LEFT 0x110 and so on
 * @param {boolean} pressed
 */
export function writeButton(stream, code, pressed) {
  return writePress(Type.BUTTON, stream, code, pressed);
}

/**
 * @param {number} stream
 * @param {{x: number, y: number, width: number, height: number}} pointer
 */
export function writePointer(stream, { x, y, width, height }) {
  const view = begin(Type.POINTER, 0, stream, 8);
  [x, y, width, height].forEach((v, i) =>
    view.setUint16(HEADER + 2 * i, v, true));
  return view.buffer;
}

/**
 * 120 is one detent, positive is down and right.
 * @param {number} stream
 * @param {{smooth: boolean, dx: number, dy: number}} wheel
 */
export function writeWheel(stream, { smooth, dx, dy }) {
  const view = begin(Type.WHEEL, smooth ? SMOOTH : 0, stream, 4);
  view.setInt16(HEADER, dx, true);
  view.setInt16(HEADER + 2, dy, true);
  return view.buffer;
}

/** @param {number} token */
export function writePing(token) {
  const view = begin(Type.PING, 0, 0, 8);
  view.setUint32(HEADER, token % 2 ** 32, true);
  view.setUint32(HEADER + 4, Math.floor(token / 2 ** 32), true);
  return view.buffer;
}

/**
 * @param {number} stream
 * @param {number} sequence
 * @param {number} decode µs from arrival to decoded
 * @param {number} present µs from decoded to presented
 */
export function writeAck(stream, sequence, decode, present) {
  const view = begin(Type.ACK, 0, stream, 12);
  [sequence, decode, present].forEach((v, i) =>
    view.setUint32(HEADER + 4 * i, Math.max(0, Math.round(v)), true));
  return view.buffer;
}

/**
 * @param {number} stream
 * @param {boolean} paused
 * @param {number} fps steady rate on a static screen, 0: on change only
 */
export function writeSettings(stream, paused, fps) {
  const view = begin(Type.SETTINGS, paused ? PAUSED : 0, stream, 2);
  view.setUint16(HEADER, Math.min(Math.max(fps, 0), MAX_FPS), true);
  return view.buffer;
}

/** @param {number} stream */
export const writeReleaseAll = (stream) =>
  begin(Type.RELEASE_ALL, 0, stream, 0).buffer;

/** @param {number} stream */
export const writeKeyframe = (stream) =>
  begin(Type.KEYFRAME, 0, stream, 0).buffer;
