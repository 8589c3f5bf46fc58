// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ProtocolError, parse } from "../../web/protocol.js";
import * as seat from "../../web/protocol-seat.js";
import { golden } from "./golden.mjs";

/**
 * @param {ArrayBuffer} got
 * @param {string} name
 */
function same(got, name) {
  assert.deepEqual([...new Uint8Array(got)], [...golden(name).bytes]);
}

/** @param {string} hex */
const bytes = (hex) => Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""),
  "hex"));

/** @param {Record<string, string>} fields */
const plain = (fields) => Object.fromEntries(Object.entries(fields)
  .map(([name, value]) => [name, Number(value)]));

describe("what the server sends for the seat", () => {
  it("CURSOR", () => {
    const { fields, buffer } = golden("stream-cursor");
    const { serial, x, y, width, height, hot_x: hotX, hot_y: hotY } =
      plain(fields);
    assert.deepEqual(parse(buffer), {
      type: "cursor", stream: 0, visible: true, serial, x, y,
      shape: { width, height, hotX, hotY,
        data: Uint8ClampedArray.from(bytes(fields.data)) },
    });
    const moved = /** @type {any} */ (
      parse(golden("stream-cursor-moved").buffer));
    assert.equal(moved.shape, null);
    assert.equal(moved.x, 100);
  });

  it("CLIPBOARD", () => {
    const { fields, buffer } = golden("stream-clipboard");
    assert.deepEqual(parse(buffer), {
      type: "clipboard", first: true, last: false, cancel: false,
      total: Number(fields.total), mime: fields.name, data: bytes(fields.data),
    });
    const last = /** @type {any} */ (
      parse(golden("stream-clipboard-last").buffer));
    assert.ok(last.last && !last.first);
    assert.equal(last.data.length, 3);
  });

  it("PROGRESS", () => {
    const { fields, buffer } = golden("stream-progress");
    assert.deepEqual(parse(buffer), {
      type: "progress", code: Number(fields.code), id: Number(fields.id),
      received: Number(fields.received), text: fields.text,
    });
  });

  it("refuses every prefix, and what is too large", () => {
    const data = { cursor: 0, "cursor-moved": 0, clipboard: 4,
      "clipboard-last": 3, progress: 0 };
    for (const [name, rest] of Object.entries(data)) {
      const all = golden(`stream-${name}`).bytes;
      for (let size = 0; size < all.length - rest; size++) {
        assert.throws(() => parse(all.slice(0, size).buffer), ProtocolError,
          `${name}, ${size} bytes`);
      }
    }
    const large = golden("stream-clipboard").buffer;
    new DataView(large).setUint32(8, seat.MAX_CLIPBOARD + 1, true);
    assert.throws(() => parse(large), ProtocolError);
    const hot = golden("stream-cursor").buffer;
    new DataView(hot).setUint16(16, 2, true);
    assert.throws(() => parse(hot), ProtocolError);
  });
});

describe("what the viewer sends to the seat", () => {
  it("CLIPBOARD and FILE", () => {
    const clip = golden("stream-clipboard").fields;
    same(seat.writePiece(0, bytes(clip.data),
      { total: Number(clip.total), name: clip.name }, false),
    "stream-clipboard");
    same(seat.writePiece(0, bytes(golden("stream-clipboard-last").fields.data),
      null, true), "stream-clipboard-last");
    const { fields } = golden("stream-file");
    same(seat.writePiece(Number(fields.id), bytes(fields.data),
      { total: Number(fields.total), name: fields.name }, true),
    "stream-file");
    const cancel = new Uint8Array(seat.writeCancel(7));
    assert.deepEqual([...cancel], [0x90, 4, 0, 0, 7, 0, 0, 0]);
  });

  it("TEXT", () => {
    const { fields } = golden("stream-text");
    same(seat.writeText(0, new TextEncoder().encode(fields.text)),
      "stream-text");
  });

  it("MOTION, TOUCH, LOCKS, HELD, RESIZE", () => {
    const { dx, dy } = plain(golden("stream-motion").fields);
    same(seat.writeMotion(0, dx, dy), "stream-motion");
    const { what, finger, x, y, width, height } =
      plain(golden("stream-touch").fields);
    same(seat.writeTouch(0, what, finger, { x, y, width, height }),
      "stream-touch");
    same(seat.writeLocks(0, true, true), "stream-locks");
    same(seat.writeHeld(0), "stream-held");
    const size = plain(golden("stream-resize").fields);
    same(seat.writeResize(0, size.width, size.height, size.scale / 120),
      "stream-resize");
    const wild = new DataView(seat.writeResize(0, 100000, 1, 100));
    assert.equal(wild.getUint16(4, true), 8192);
    assert.equal(wild.getUint16(6, true), 64);
    assert.equal(wild.getUint16(8, true), 960);
  });
});
