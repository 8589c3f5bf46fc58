// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { Connection } from "../../web/connection.js";
import * as wire from "../browser/wire.mjs";

class FakeWebSocket {
  /** @type {FakeWebSocket[]} */
  static all = [];
  /** @type {Buffer[]} */
  sent = [];
  closed = false;
  binaryType = "";
  /** @type {(() => void) | null} */
  onopen = null;
  /** @type {((event: {data: unknown}) => void) | null} */
  onmessage = null;
  /** @type {(() => void) | null} */
  onclose = null;

  /**
   * @param {string} url
   * @param {string} protocol
   */
  constructor(url, protocol) {
    this.url = url;
    this.protocol = protocol;
    FakeWebSocket.all.push(this);
  }

  /** @param {ArrayBuffer} data */
  send(data) { this.sent.push(Buffer.from(data)); }

  close() { this.closed = true; }

  /** @param {Buffer} message */
  receive(message) {
    this.onmessage?.({ data: Uint8Array.from(message).buffer });
  }

  /** @param {string} type */
  said(type) {
    return this.sent.map(wire.parse).filter((m) => m.type === type);
  }
}

/** Timers that run when a test says so. */
class Timers {
  now = 0;
  id = 0;
  /** @type {Map<number, {at: number, run: () => void}>} */
  waiting = new Map();

  /**
   * @param {() => void} run
   * @param {number} ms
   */
  set(run, ms) {
    this.waiting.set(++this.id, { at: this.now + ms, run });
    return this.id;
  }

  /** @param {number} ms */
  pass(ms) {
    const end = this.now + ms;
    for (;;) {
      const due = [...this.waiting].filter(([, t]) => t.at <= end)
        .sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      this.waiting.delete(due[0]);
      this.now = due[1].at;
      due[1].run();
    }
    this.now = end;
  }
}

const FRAME = wire.frame({
  flags: 1, sequence: 0, captured: 0, sent: 1, stages: [0, 0, 0, 0, 0, 0, 1],
  data: Buffer.from([0]),
});

describe("Connection", () => {
  /** @type {Timers} */
  let timers;
  /** @type {Connection} */
  let connection;
  /** @type {string[]} */
  let states;
  /** @type {any[]} */
  let messages;

  function socket() {
    return /** @type {FakeWebSocket} */ (FakeWebSocket.all.at(-1));
  }

  function open() {
    socket().onopen?.();
    socket().receive(wire.welcome(1, true, "x"));
  }

  beforeEach(() => {
    FakeWebSocket.all = [];
    timers = new Timers();
    connection = new Connection("ws://x/ws", "secret", {
      WebSocket: /** @type {any} */ (FakeWebSocket),
      setTimeout: (f, ms) => timers.set(f, ms),
      clearTimeout: (id) => timers.waiting.delete(id),
    });
    states = [];
    messages = [];
    connection.addEventListener("state", (event) => {
      const { state, retryIn } = /** @type {any} */ (event);
      states.push(state === "waiting" ? `waiting ${retryIn}` : state);
    });
    connection.addEventListener("message", (event) =>
      messages.push(/** @type {any} */ (event).message));
    connection.connect();
  });

  it("says who it is first", () => {
    assert.equal(socket().protocol, "porthole.1");
    assert.equal(socket().binaryType, "arraybuffer");
    open();
    assert.equal(wire.parse(socket().sent[0]).token, "secret");
    assert.deepEqual(states, ["connecting", "open"]);
    assert.equal(messages[0].type, "welcome");
  });

  it("sends nothing else before it is let in", () => {
    connection.send(new ArrayBuffer(4));
    socket().onopen?.();
    connection.send(new ArrayBuffer(4));
    assert.deepEqual(socket().sent.map((m) => wire.parse(m).type), ["auth"]);
  });

  it("matches the clocks", () => {
    open();
    socket().receive(wire.pong(0, 1000));
    assert.ok(connection.clock.best(0));
    timers.pass(300);
    assert.equal(socket().said("ping").length, 6);
    assert.equal(messages.length, 1, "a pong is nobody else's");
  });

  it("ignores a pong that it did not ask for", () => {
    open();
    socket().receive(wire.pong(77, 1000));
    assert.equal(connection.clock.best(0), null);
  });

  it("connects again, later and later, from 0.25 to 5 s", () => {
    for (let i = 0; i < 7; i++) {
      socket().onclose?.();
      timers.pass(5000);
    }
    assert.deepEqual(states.filter((s) => s.startsWith("waiting")), [
      250, 500, 1000, 2000, 4000, 5000, 5000].map((ms) => `waiting ${ms}`));
    assert.equal(FakeWebSocket.all.length, 8);
  });

  it("starts over with the delays after a frame", () => {
    socket().onclose?.();
    timers.pass(250);
    socket().onclose?.();
    timers.pass(500);
    open();
    socket().receive(FRAME);
    socket().onclose?.();
    assert.equal(states.at(-1), "waiting 250");
  });

  it("gives up a socket that never opens", () => {
    timers.pass(10000);
    assert.ok(FakeWebSocket.all[0].closed);
    assert.ok(states.includes("waiting 250"));
  });

  it("notices a server that answers no more", () => {
    open();
    const first = socket();
    timers.pass(20000);
    assert.ok(first.closed);
    assert.ok(states.includes("waiting 250"));
  });

  it("stays with a server that answers", () => {
    open();
    for (let i = 0; i < 60; i++) {
      timers.pass(1000);
      const { token } = /** @type {any} */ (socket().said("ping").at(-1));
      socket().receive(wire.pong(token, 1000));
    }
    assert.equal(FakeWebSocket.all.length, 1);
  });

  it("asks no more after a goodbye for good", () => {
    socket().onopen?.();
    socket().receive(wire.notice("GOODBYE", 1, "wrong token"));
    socket().onclose?.();
    timers.pass(60000);
    assert.equal(states.at(-1), "closed");
    assert.equal(FakeWebSocket.all.length, 1);
    connection.connect();
    assert.equal(FakeWebSocket.all.length, 2);
  });

  it("asks again where there were too many", () => {
    socket().onopen?.();
    socket().receive(wire.notice("GOODBYE", 3, "full"));
    socket().onclose?.();
    timers.pass(250);
    assert.equal(FakeWebSocket.all.length, 2);
  });

  it("lives through garbage and unknown messages", () => {
    open();
    socket().receive(Buffer.from([]));
    socket().receive(Buffer.from([3, 0, 0, 0, 1]));
    socket().receive(Buffer.from([0x42, 0, 0, 0, 1]));
    socket().onmessage?.({ data: "text" });
    socket().receive(FRAME);
    assert.deepEqual(messages.map((m) => m.type), ["welcome", "frame"]);
  });

  it("closes for good", () => {
    open();
    connection.close();
    timers.pass(60000);
    assert.ok(socket().closed);
    assert.equal(FakeWebSocket.all.length, 1);
    assert.equal(states.at(-1), "closed");
  });
});
