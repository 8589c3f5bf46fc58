// SPDX-License-Identifier: LGPL-2.1-or-later
// The fake server of the browser tests speaks as the golden files say.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as wire from "../browser/wire.mjs";
import { golden, numbers } from "./golden.mjs";

/**
 * @param {Buffer} got
 * @param {string} name
 */
function sameAs(got, name) {
  assert.equal(got.toString("hex"),
    Buffer.from(golden(name).bytes).toString("hex"));
}

test("what it writes", () => {
  sameAs(wire.welcome(1, true, "desktop"), "stream-welcome");
  sameAs(wire.config(1920, 1080, "avc1.42E02A"), "stream-config");
  const { fields } = golden("stream-frame");
  sameAs(wire.frame({
    flags: 1, sequence: Number(fields.sequence),
    captured: Number(fields.captured_us), sent: Number(fields.sent_us),
    stages: numbers(fields.stage_us),
    data: Buffer.from(fields.data.replaceAll(" ", ""), "hex"),
  }), "stream-frame");
  sameAs(wire.unchanged(6000000), "stream-unchanged");
  sameAs(wire.pong(123456789, 7000000), "stream-pong");
  sameAs(wire.notice("STATUS", 1, "the encoding host is away"),
    "stream-status");
  sameAs(wire.progress(1, 7, 5, "café (1).txt"), "stream-progress");
  sameAs(wire.clipboard(1, 70000, "image/png",
    Buffer.from([0x89, 0x50, 0x4e, 0x47])), "stream-clipboard");
  sameAs(wire.cursor(9, { x: -3, y: 540, shape: {
    width: 2, height: 1, hotX: 1, hotY: 0,
    data: Buffer.from("ff0000ff00800080", "hex"),
  } }), "stream-cursor");
  sameAs(wire.notice("GOODBYE", 1, "wrong token"), "stream-goodbye");
});

test("what it reads", () => {
  for (const name of ["auth", "key", "pointer", "button", "wheel", "ping",
    "ack", "settings", "release-all", "keyframe", "motion", "touch", "locks",
    "held", "resize"]) {
    const { fields, bytes } = golden(`stream-${name}`);
    const { type, ...said } = wire.parse(Buffer.from(bytes));
    assert.equal(type, name);
    for (const [field, value] of Object.entries(said)) {
      const wanted = fields[field] ?? fields[`${field}_us`];
      assert.equal(String(value),
        field === "token" && type === "auth" ? wanted : `${Number(wanted)}`,
        `${name}, ${field}`);
    }
  }
});
