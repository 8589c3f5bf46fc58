// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { Decoder } from "../../web/decoder.js";

class FakeVideoDecoder {
  /** @type {FakeVideoDecoder[]} */
  static all = [];
  /** @type {any[]} */
  chunks = [];
  state = "unconfigured";
  /** @type {any} */
  config = null;

  /** @param {any} init */
  constructor(init) {
    this.init = init;
    FakeVideoDecoder.all.push(this);
  }

  /** @param {any} config */
  configure(config) {
    this.config = config;
    this.state = "configured";
  }

  /** @param {any} chunk */
  decode(chunk) { this.chunks.push(chunk); }

  close() { this.state = "closed"; }

  output(index = this.chunks.length - 1) {
    const made = {
      timestamp: this.chunks[index].timestamp, closed: false,
      close() { this.closed = true; },
    };
    this.init.output(made);
    return made;
  }
}

class FakeChunk {
  /** @param {object} init */
  constructor(init) { Object.assign(this, init); }
}

/** @type {any} */
const CONFIG = { codec: "avc1.42E02A", width: 640, height: 480 };
let sequence = 0;

/** @returns {any} */
function frame(key = false, captured = ++sequence * 1000) {
  return { type: "frame", key, captured, sequence, data: new Uint8Array(1) };
}

describe("Decoder", () => {
  /** @type {Decoder} */
  let decoder;
  /** @type {string[]} */
  let events;
  /** @type {any[]} */
  let pictures;
  let now = 0;

  function inner() {
    return /** @type {FakeVideoDecoder} */ (FakeVideoDecoder.all.at(-1));
  }

  function fed() {
    return inner().chunks.map((chunk) => chunk.type).join(" ");
  }

  beforeEach(() => {
    FakeVideoDecoder.all = [];
    events = [];
    pictures = [];
    now = 1e6;
    decoder = new Decoder({
      VideoDecoder: /** @type {any} */ (FakeVideoDecoder),
      EncodedVideoChunk: /** @type {any} */ (FakeChunk),
      now: () => now,
    });
    for (const name of ["needkeyframe", "dropped", "failed"]) {
      decoder.addEventListener(name, () => events.push(name));
    }
    decoder.addEventListener("picture", (event) => pictures.push(event));
    decoder.configure(CONFIG);
  });

  it("asks for low latency", () => {
    assert.deepEqual(inner().config, {
      codec: "avc1.42E02A", codedWidth: 640, codedHeight: 480,
      optimizeForLatency: true,
    });
  });

  it("gives pictures with their messages and times", () => {
    const message = frame(true, 77);
    decoder.decode(message, 5, 99);
    now += 2000;
    inner().output();
    const [{ picture }] = pictures;
    assert.equal(picture.message, message);
    assert.deepEqual(
      [picture.arrived, picture.size, picture.decoded, picture.timestamp],
      [5, 99, now, 77]);
  });

  it("gives every frame another time stamp, growing", () => {
    for (const captured of [50, 50, 40, 60]) {
      decoder.decode(frame(captured === 50, captured), 0, 1);
    }
    const stamps = inner().chunks.map((chunk) => chunk.timestamp);
    assert.deepEqual(stamps, [50, 51, 52, 60]);
  });

  it("begins with a keyframe and asks for it, but not all the time", () => {
    for (let i = 0; i < 5; i++) decoder.decode(frame(), 0, 1);
    assert.equal(fed(), "");
    assert.equal(events.filter((e) => e === "needkeyframe").length, 1);
    assert.equal(events.filter((e) => e === "dropped").length, 5);
    now += 1.1e6;
    decoder.decode(frame(), 0, 1);
    assert.equal(events.filter((e) => e === "needkeyframe").length, 2);
    decoder.decode(frame(true), 0, 1);
    decoder.decode(frame(), 0, 1);
    assert.equal(fed(), "key delta");
  });

  it("decodes no delta after it dropped one", () => {
    decoder.decode(frame(true), 0, 1);
    for (let i = 0; i < 40; i++) decoder.decode(frame(), 0, 1);
    const before = inner().chunks.length;
    assert.ok(before <= 31, `${before}`);
    assert.deepEqual([...new Set(events)], ["dropped", "needkeyframe"]);
    for (let i = 0; i < before; i++) inner().output(i);
    decoder.decode(frame(), 0, 1); // there would be room again
    assert.equal(inner().chunks.length, before);
    decoder.decode(frame(true), 0, 1);
    decoder.decode(frame(), 0, 1);
    assert.match(fed(), /delta key delta$/);
  });

  it("throws an endless queue away when the keyframe is there", () => {
    decoder.decode(frame(true), 0, 1);
    for (let i = 0; i < 40; i++) decoder.decode(frame(), 0, 1);
    const old = inner();
    decoder.decode(frame(true), 0, 1);
    assert.notEqual(inner(), old);
    assert.equal(old.state, "closed");
    assert.equal(fed(), "key");
    assert.equal(old.output(0).closed, true, "late pictures are not leaked");
    assert.equal(pictures.length, 0);
  });

  it("starts a new decoder after an error, from a keyframe", () => {
    decoder.decode(frame(true), 0, 1);
    inner().init.error(new Error("broken"));
    assert.equal(FakeVideoDecoder.all.length, 2);
    assert.deepEqual(events, ["needkeyframe"]);
    decoder.decode(frame(), 0, 1);
    assert.equal(fed(), "");
    decoder.decode(frame(true), 0, 1);
    assert.equal(fed(), "key");
  });

  it("fails when nothing helps, and tries again with a new codec", () => {
    for (let i = 0; i < 3; i++) inner().init.error(new Error("unsupported"));
    assert.equal(events.at(-1), "failed");
    decoder.decode(frame(true), 0, 1);
    decoder.configure({ ...CONFIG }); // a server that answers KEYFRAME so
    assert.equal(FakeVideoDecoder.all.length, 3);
    decoder.configure({ ...CONFIG, codec: "avc1.640028" });
    decoder.decode(frame(true), 0, 1);
    assert.equal(fed(), "key");
  });

  it("does not call it hopeless while pictures come in between", () => {
    for (let i = 0; i < 6; i++) {
      decoder.decode(frame(true), 0, 1);
      inner().output();
      inner().init.error(new Error("now and then"));
    }
    assert.ok(!events.includes("failed"));
  });

  it("is set up anew only for another size or codec", () => {
    decoder.configure({ ...CONFIG });
    assert.equal(FakeVideoDecoder.all.length, 1);
    decoder.configure({ ...CONFIG, width: 800 });
    assert.equal(inner().config.codedWidth, 800);
    assert.equal(FakeVideoDecoder.all.length, 2);
    decoder.decode(frame(), 0, 1);
    assert.equal(fed(), "");
  });

  it("waits for a keyframe after a pause", () => {
    decoder.decode(frame(true), 0, 1);
    decoder.skip();
    assert.ok(decoder.waiting);
    decoder.decode(frame(), 0, 1);
    assert.equal(fed(), "key");
  });
});
