// SPDX-License-Identifier: LGPL-2.1-or-later
// The server's side of the browser protocol, for a fake server: what
// web/protocol.js parses is written here, what it writes is parsed here.
// Checked against tests/golden by tests/web/wire.test.mjs.

export const TYPES = {
  WELCOME: 1, CONFIG: 2, FRAME: 3, UNCHANGED: 4, PONG: 5, STATUS: 6,
  GOODBYE: 7,
};

const NAMES = new Map([
  [0x80, "auth"], [0x81, "key"], [0x82, "pointer"], [0x83, "button"],
  [0x84, "wheel"], [0x85, "release-all"], [0x86, "ping"], [0x87, "ack"],
  [0x88, "keyframe"], [0x89, "settings"],
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
export function welcome(version, mayDrive, name) {
  return message(TYPES.WELCOME, 0, u16(version, mayDrive ? 1 : 0),
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
    case "settings":
      return { type, flags: m[1], fps: m.readUInt16LE(4) };
    default:
      return { type };
  }
}
