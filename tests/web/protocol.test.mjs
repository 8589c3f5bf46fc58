// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as protocol from "../../web/protocol.js";
import { golden, numbers } from "./golden.mjs";

/**
 * @param {ArrayBuffer} got
 * @param {Uint8Array} wanted
 */
function sameBytes(got, wanted) {
  assert.deepEqual([...new Uint8Array(got)], [...wanted]);
}

describe("what the server sends", () => {
  it("WELCOME", () => {
    const { fields, buffer } = golden("stream-welcome");
    assert.deepEqual(protocol.parse(buffer), {
      type: "welcome", version: Number(fields.version),
      mayDrive: fields.role === "1", may: Number(fields.role), name: fields.name,
    });
  });

  it("CONFIG", () => {
    const { fields, buffer } = golden("stream-config");
    assert.deepEqual(protocol.parse(buffer), {
      type: "config", stream: 0, width: Number(fields.width),
      height: Number(fields.height), codec: fields.codec,
    });
  });

  it("FRAME", () => {
    const { fields, buffer } = golden("stream-frame");
    const stages = numbers(fields.stage_us);
    assert.equal(stages.length, protocol.STAGES.length);
    assert.deepEqual(protocol.parse(buffer), {
      type: "frame", stream: 0, key: true, repeat: false,
      sequence: Number(fields.sequence), captured: Number(fields.captured_us),
      sent: Number(fields.sent_us), stages,
      data: Uint8Array.from(Buffer.from(fields.data.replaceAll(" ", ""),
        "hex")),
    });
  });

  it("UNCHANGED and PONG", () => {
    const unchanged = golden("stream-unchanged");
    assert.deepEqual(protocol.parse(unchanged.buffer), {
      type: "unchanged", stream: 0, now: Number(unchanged.fields.now_us),
    });
    const pong = golden("stream-pong");
    assert.deepEqual(protocol.parse(pong.buffer), {
      type: "pong", token: Number(pong.fields.token),
      server: Number(pong.fields.server_us),
    });
  });

  it("STATUS and GOODBYE", () => {
    for (const type of ["status", "goodbye"]) {
      const { fields, buffer } = golden(`stream-${type}`);
      assert.deepEqual(protocol.parse(buffer),
        { type, code: Number(fields.code), text: fields.text });
    }
  });

  it("reads 64 bits as a number", () => {
    const { buffer } = golden("stream-unchanged");
    new DataView(buffer).setBigUint64(4, 0x12_3456_789a_bcden, true);
    assert.equal(/** @type {any} */ (protocol.parse(buffer)).now,
      0x12_3456_789a_bcde);
  });

  it("knows repeats and a message inside a bigger buffer", () => {
    const { bytes } = golden("stream-frame");
    bytes[1] = 2;
    const message = /** @type {any} */ (protocol.parse(bytes.buffer));
    assert.equal(message.key, false);
    assert.equal(message.repeat, true);
  });

  it("skips types that it does not know", () => {
    for (const type of [0x10, 0x7f, 0xff]) {
      assert.equal(protocol.parse(Uint8Array.of(type, 0, 0, 0, 9).buffer),
        null);
    }
  });

  it("refuses every prefix", () => {
    for (const name of ["welcome", "config", "frame", "unchanged", "pong",
      "status", "goodbye"]) {
      const { bytes, fields } = golden(`stream-${name}`);
      // A frame's data may be shorter, by all but a byte.
      const shortest = name === "frame" ?
        bytes.length - fields.data.split(" ").length + 1 : bytes.length;
      for (let size = 0; size < shortest; size++) {
        assert.throws(() => protocol.parse(bytes.slice(0, size).buffer),
          protocol.ProtocolError, `${name}, ${size} bytes`);
      }
    }
  });

  it("refuses a picture of no size", () => {
    const { bytes, buffer } = golden("stream-config");
    bytes.fill(0, 4, 6);
    assert.throws(() => protocol.parse(buffer), protocol.ProtocolError);
  });

  it("makes control characters harmless", () => {
    const { bytes, buffer } = golden("stream-welcome");
    bytes[9] = 0x1b;
    assert.match(/** @type {any} */ (protocol.parse(buffer)).name, /^\?/);
  });
});

describe("what the viewer sends", () => {
  it("AUTH", () => {
    const { fields, bytes } = golden("stream-auth");
    sameBytes(protocol.writeAuth(fields.token), bytes);
    assert.throws(() => protocol.writeAuth(""), protocol.ProtocolError);
    protocol.writeAuth("x".repeat(protocol.MAX_TOKEN));
    assert.throws(() => protocol.writeAuth("x".repeat(protocol.MAX_TOKEN + 1)),
      protocol.ProtocolError);
  });

  it("KEY and BUTTON", () => {
    const key = golden("stream-key");
    sameBytes(protocol.writeKey(0, Number(key.fields.code), true), key.bytes);
    const button = golden("stream-button");
    sameBytes(protocol.writeButton(0, Number(button.fields.code), true),
      button.bytes);
    assert.equal(new Uint8Array(protocol.writeKey(0, 30, false))[1], 0);
  });

  it("POINTER", () => {
    const { fields, bytes } = golden("stream-pointer");
    const [x, y, width, height] =
      ["x", "y", "width", "height"].map((name) => Number(fields[name]));
    sameBytes(protocol.writePointer(0, { x, y, width, height }), bytes);
  });

  it("WHEEL", () => {
    const { fields, bytes } = golden("stream-wheel");
    sameBytes(protocol.writeWheel(0, {
      smooth: fields.smooth === "1", dx: Number(fields.dx),
      dy: Number(fields.dy),
    }), bytes);
  });

  it("PING", () => {
    const { fields, bytes } = golden("stream-ping");
    sameBytes(protocol.writePing(Number(fields.token)), bytes);
    const large = new DataView(protocol.writePing(2 ** 40 + 5));
    assert.equal(large.getBigUint64(4, true), 2n ** 40n + 5n);
  });

  it("ACK", () => {
    const { fields, bytes } = golden("stream-ack");
    const [sequence, decode, present] =
      ["sequence", "decode_us", "present_us"].map((f) => Number(fields[f]));
    sameBytes(protocol.writeAck(0, sequence, decode, present), bytes);
    const negative = new DataView(protocol.writeAck(0, 1, -5, 2.6));
    assert.equal(negative.getUint32(8, true), 0);
    assert.equal(negative.getUint32(12, true), 3);
  });

  it("SETTINGS", () => {
    const { fields, bytes } = golden("stream-settings");
    sameBytes(protocol.writeSettings(0, fields.flags === "1",
      Number(fields.fps)), bytes);
    const wild = new DataView(protocol.writeSettings(0, false, 1000));
    assert.equal(wild.getUint16(4, true), protocol.MAX_FPS);
  });

  it("RELEASE_ALL and KEYFRAME", () => {
    sameBytes(protocol.writeReleaseAll(0), golden("stream-release-all").bytes);
    sameBytes(protocol.writeKeyframe(0), golden("stream-keyframe").bytes);
    assert.equal(new DataView(protocol.writeKeyframe(7)).getUint16(2, true),
      7);
  });
});
