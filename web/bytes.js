// SPDX-License-Identifier: LGPL-2.1-or-later
// What the two halves of the protocol are made of.

export const HEADER = 4;

/** A message that is too short or says what cannot be. */
export class ProtocolError extends Error {}

/**
 * @param {DataView} view
 * @param {number} at
 */
export function u64(view, at) {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}

/**
 * u8 length, UTF-8; control characters become '?'.
 * @param {DataView} view
 * @param {number} at
 */
export function text(view, at) {
  const size = view.getUint8(at);
  if (at + 1 + size > view.byteLength) throw new RangeError("text");
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at + 1, size);
  // eslint-disable-next-line no-control-regex
  return new TextDecoder().decode(bytes).replace(/[\x00-\x1f\x7f]/g, "?");
}

/**
 * @param {number} type
 * @param {number} flags
 * @param {number} stream
 * @param {number} size of what follows the header
 */
export function begin(type, flags, stream, size) {
  const view = new DataView(new ArrayBuffer(HEADER + size));
  view.setUint8(0, type);
  view.setUint8(1, flags);
  view.setUint16(2, stream, true);
  return view;
}
