// SPDX-License-Identifier: LGPL-2.1-or-later
// The server's side of the browser protocol, for a fake server: what
// web/protocol.js parses is written here, what it writes is parsed here.
// Checked against tests/golden by tests/web/wire.test.mjs.

export const TYPES = {
  WELCOME: 1, CONFIG: 2, FRAME: 3, UNCHANGED: 4, PONG: 5, STATUS: 6,
  GOODBYE: 7, PROGRESS: 8, CURSOR: 0x11, CLIPBOARD: 0x12,
};

const NAMES = new Map([
  [0x80, "auth"], [0x81, "key"], [0x82, "pointer"], [0x83, "button"],
  [0x84, "wheel"], [0x85, "release-all"], [0x86, "ping"], [0x87, "ack"],
  [0x88, "keyframe"], [0x89, "settings"], [0x8a, "text"], [0x8b, "motion"],
  [0x8c, "touch"], [0x8d, "locks"], [0x8e, "held"], [0x8f, "resize"],
  [0x12, "clipboard"], [0x90, "file"],
]);

/**
 * @param {number} type
 * @param {number} flags
 * @param {...Buffer} parts
 */
function message(type, flags, ...parts) {
  return Buffer.concat([Buffer.from([type, flags, 0, 0]), ...parts]);
}

/** @param {...number} values */
function u16(...values) {
  return Buffer.from(Uint16Array.from(values).buffer);
}

/** @param {...number} values */
function u32(...values) {
  return Buffer.from(Uint32Array.from(values).buffer);
}

/** @param {...number} values */
function u64(...values) {
  return Buffer.from(BigUint64Array.from(
    values.map((v) => BigInt(Math.round(v)))).buffer);
}

/** @param {string} value */
function text(value) {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

/**
 * @param {number} version
 * @param {boolean} mayDrive
 * @param {string} name
 */
export function welcome(version, mayDrive, name, may = 1) {
  return message(TYPES.WELCOME, 0, u16(version, mayDrive ? may : 0),
    text(name));
}

/**
 * @param {number} width
 * @param {number} height
 * @param {string} codec
 */
export function config(width, height, codec) {
  return message(TYPES.CONFIG, 0, u16(width, height), text(codec));
}

/**
 * @param {{flags: number, sequence: number, captured: number, sent: number,
 *   stages: number[], data: Buffer}} frame
 */
export function frame({ flags, sequence, captured, sent, stages, data }) {
  return message(TYPES.FRAME, flags, u32(sequence), u64(captured, sent),
    u32(...stages), data);
}

/** @param {number} now µs */
export function unchanged(now) {
  return message(TYPES.UNCHANGED, 0, u64(now));
}

/**
 * @param {number} token
 * @param {number} server µs
 */
export function pong(token, server) {
  return message(TYPES.PONG, 0, u64(token, server));
}

/**
 * @param {"STATUS" | "GOODBYE"} type
 * @param {number} code
 * @param {string} words
 */
export function notice(type, code, words) {
  return message(TYPES[type], 0, u16(code), text(words));
}

/**
 * @param {string} type
 * @param {Buffer} m
 */
function piece(type, m) {
  const first = m[1] & 1;
  const size = first ? m[16] : 0;
  return {
    type, flags: m[1], id: m.readUInt32LE(4),
    total: first ? Number(m.readBigUInt64LE(8)) : 0,
    name: m.toString("utf8", 17, 17 + size),
    data: m.subarray(first ? 17 + size : 8),
  };
}

/**
 * @param {number} serial
 * @param {{visible?: boolean, x?: number, y?: number,
 *   shape?: {width: number, height: number, hotX: number, hotY: number,
 *   data: Buffer}}} [options]
 */
export function cursor(serial, { visible = true, x = 0, y = 0, shape } = {}) {
  const place = Buffer.from(Int16Array.of(x, y).buffer);
  const rest = shape ? [u16(shape.width, shape.height, shape.hotX,
    shape.hotY), shape.data] : [];
  return message(TYPES.CURSOR, (visible ? 1 : 0) | (shape ? 2 : 0),
    u32(serial), place, ...rest);
}

/**
 * @param {number} flags
 * @param {number} total
 * @param {string} mime
 * @param {Buffer} data
 */
export function clipboard(flags, total, mime, data) {
  return message(TYPES.CLIPBOARD, flags, u32(0),
    ...flags & 1 ? [u64(total), text(mime)] : [], data);
}

/**
 * @param {number} code
 * @param {number} id
 * @param {number} received
 * @param {string} words
 */
export function progress(code, id, received, words) {
  return message(TYPES.PROGRESS, 0, u16(code), u32(id), u64(received),
    text(words));
}

/**
 * What a viewer says.
 * @param {Buffer} m
 * @returns {{type: string, [field: string]: any}}
 */
export function parse(m) {
  const type = NAMES.get(m[0]) ?? "unknown";
  switch (type) {
    case "auth":
      return { type, token: m.toString("latin1", 5, 5 + m[4]) };
    case "key":
    case "button":
      return { type, code: m.readUInt16LE(4), pressed: m[1] & 1 };
    case "pointer":
      return {
        type, x: m.readUInt16LE(4), y: m.readUInt16LE(6),
        width: m.readUInt16LE(8), height: m.readUInt16LE(10),
      };
    case "wheel":
      return {
        type, smooth: m[1] & 1, dx: m.readInt16LE(4), dy: m.readInt16LE(6),
      };
    case "ping":
      return { type, token: Number(m.readBigUInt64LE(4)) };
    case "ack":
      return {
        type, sequence: m.readUInt32LE(4), decode: m.readUInt32LE(8),
        present: m.readUInt32LE(12),
      };
    case "text":
      return { type, text: m.toString("utf8", 4) };
    case "motion":
      return { type, dx: m.readInt32LE(4), dy: m.readInt32LE(8) };
    case "touch":
      return {
        type, what: m[1], finger: m.readUInt16LE(4), x: m.readUInt16LE(6),
        y: m.readUInt16LE(8), width: m.readUInt16LE(10),
        height: m.readUInt16LE(12),
      };
    case "locks":
      return { type, caps: m[1] & 1, num: m[1] >> 1 & 1 };
    case "resize":
      return {
        type, width: m.readUInt16LE(4), height: m.readUInt16LE(6),
        scale: m.readUInt16LE(8),
      };
    case "clipboard":
    case "file":
      return piece(type, m);
    case "settings":
      return { type, flags: m[1], fps: m.readUInt16LE(4) };
    default:
      return { type };
  }
}
