// SPDX-License-Identifier: LGPL-2.1-or-later
// The WebSocket of porthole-deskd: who gets in, what is refused, whose input
// arrives, and how it ends.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Deskd, TOKEN, VIEW_TOKEN } from "./deskd.mjs";
import { Viewer, auth, message, u16, wsFrame } from "./viewer.mjs";

const BAD_TOKEN = 1, BAD_MESSAGE = 2, TOO_MANY = 3, SESSION_OVER = 4;
const WELCOME = 1, CONFIG = 2, PONG = 5;
let deskd;
let good; // watches all the time, and must not notice anything

before(async () => {
  deskd = await Deskd.start(["--max-viewers", "5", "--size", "640x480",
    "--name", "a desk"]);
  good = await new Viewer(deskd.port).join(TOKEN);
  await good.until(() => good.frames > 0);
});
after(async () => {
  good.drop();
  assert.deepEqual(await deskd.stop(), [0, null]);
});

async function undisturbed() {
  const { frames } = good;
  await good.until(() => good.frames > frames + 3 || good.closed);
  assert.equal(good.closed, false);
}

describe("coming in", () => {
  test("WELCOME, CONFIG, then a keyframe; stages add up", async () => {
    const viewer = await new Viewer(deskd.port).join(VIEW_TOKEN);
    await viewer.until(() => viewer.frames > 10);
    const [welcome, config] = viewer.messages;
    assert.equal(welcome[0], WELCOME);
    assert.equal(welcome.readUInt16LE(4), 1); // version
    assert.equal(welcome.readUInt16LE(6), 0); // may not drive
    assert.equal(welcome.subarray(9).toString(), "a desk");
    assert.equal(config[0], CONFIG);
    assert.equal(config.readUInt16LE(4), 640);
    assert.equal(config.readUInt16LE(6), 480);
    // May drive, and the fake desktop can do all there is.
    assert.equal(good.messages[0].readUInt16LE(6), 127);
    assert.ok(viewer.keyframes >= 1);
    assert.ok(viewer.stageError <= 1, `${viewer.stageError} us`);
    viewer.drop();
  });

  test("only with the subprotocol and to /ws", async () => {
    const other = { "Sec-WebSocket-Protocol": "chat" };
    assert.equal((await new Viewer(deskd.port).open(other)).status, 400);
    const gone = await new Viewer(deskd.port).open({}, "/elsewhere");
    assert.equal(gone.status, 404);
    const plain = await fetch(`${deskd.url}ws`);
    assert.equal(plain.status, 400);
    const deflate = await new Viewer(deskd.port).open({
      "Sec-WebSocket-Extensions": "permessage-deflate",
    });
    assert.equal(deflate.status, 101);
    assert.doesNotMatch(deflate.answer, /Extensions/i);
    deflate.drop();
  });

  test("a wrong token, or something else first, is shown out", async () => {
    for (const first of [auth("wrong-token-of-the-same-len-xyz"),
      message(0x86, Buffer.alloc(8)), message(0x80), message(0x80,
        Buffer.from([200, 1, 2]))]) {
      const viewer = await new Viewer(deskd.port).open();
      viewer.say(first);
      assert.equal(await viewer.goodbye(), BAD_TOKEN);
      await viewer.until(() => viewer.closed);
      assert.equal(viewer.closeCode, 1008);
      assert.equal(viewer.frames, 0);
    }
    await undisturbed();
  });

  test("who says nothing, or much, goes within 5 s",
    { timeout: 60000 }, async () => {
      const started = performance.now();
      const silent = await new Viewer(deskd.port).open();
      const chatty = await new Viewer(deskd.port).open();
      for (let i = 0; i < 60; i++) {
        chatty.socket.write(wsFrame(Buffer.alloc(100), 0x89));
      }
      await chatty.until(() => chatty.closed);
      assert.equal(chatty.closeCode, 1008);
      assert.equal(await silent.goodbye(), BAD_TOKEN);
      assert.ok(performance.now() - started > 3900);
      await undisturbed();
    });

  test("one too many is told so", async () => {
    const rest = [];
    for (let i = 0; i < 4; i++) {
      rest.push(await new Viewer(deskd.port).join(TOKEN));
      await rest[i].get(WELCOME);
    }
    const late = await new Viewer(deskd.port).join(TOKEN);
    assert.equal(await late.goodbye(), TOO_MANY);
    rest.forEach((viewer) => viewer.drop());
    await deskd.statsWhen((s) => s.viewers === 1);
  });
});

describe("messages", () => {
  test("PING is answered with the server's clock", async () => {
    const token = Buffer.from("12345678");
    good.say(message(0x86, token));
    const pong = await good.get(PONG);
    assert.deepEqual(pong.subarray(4, 12), token);
    const now = Number(process.hrtime.bigint() / 1000n);
    const server = Number(pong.readBigUInt64LE(12));
    assert.ok(Math.abs(now - server) < 60e6, "not the monotonic clock");
    good.socket.write(wsFrame(Buffer.from("hello"), 0x89));
    await good.until(() => good.pong);
    assert.equal(good.pong.toString(), "hello");
  });

  test("types of a later version are skipped", async () => {
    good.say(message(0xfe, Buffer.alloc(4000)));
    good.say(message(0x10));
    await undisturbed();
  });

  test("what breaks the rules ends the connection", async () => {
    const cases = [
      [wsFrame(Buffer.alloc(4097)), 1009],
      [wsFrame(Buffer.from("text"), 0x81), 1003],
      [wsFrame(Buffer.from("x"), 0xf2), 1002],
      [Buffer.from([0x82, 1, 65]), 1002], // not masked
      [Buffer.from([0x82, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0,
        0, 0]), 1009],
      [wsFrame(message(0x86, Buffer.alloc(3))), 1008], // a short PING
      [wsFrame(message(0x81, u16(0x300), 1)), 1008], // no such key
      [wsFrame(Buffer.from([1, 2])), 1008],
    ];
    for (const [bytes, code] of cases) {
      const viewer = await new Viewer(deskd.port).join(TOKEN);
      await viewer.get(WELCOME);
      viewer.socket.write(bytes);
      await viewer.until(() => viewer.closed);
      assert.equal(viewer.closeCode, code);
      if (code === 1008) assert.equal(await viewer.goodbye(), BAD_MESSAGE);
    }
    // A message in fragments without end.
    const viewer = await new Viewer(deskd.port).join(TOKEN);
    viewer.socket.write(wsFrame(Buffer.alloc(1000), 0x02));
    for (let i = 0; i < 4; i++) {
      viewer.socket.write(wsFrame(Buffer.alloc(1000), 0x00));
    }
    await viewer.until(() => viewer.closed);
    assert.equal(viewer.closeCode, 1009);
    await undisturbed();
  });

  test("noise is no danger", async () => {
    let seed = 12345;
    for (let i = 0; i < 50; i++) {
      const viewer = await new Viewer(deskd.port).join(TOKEN);
      const noise = Buffer.alloc(600);
      for (let j = 0; j < noise.length; j++) {
        seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
        noise[j] = seed >>> 16;
      }
      if (i % 2) viewer.socket.write(noise);
      else viewer.say(noise);
      viewer.socket.end();
      await viewer.until(() => viewer.closed);
    }
    await undisturbed();
  });
});

describe("input", () => {
  test("arrives scaled, and is released when its viewer goes", async () => {
    const key = (code, down) => message(0x81, u16(code), down ? 1 : 0);
    const viewer = await new Viewer(deskd.port).join(TOKEN);
    viewer.say(message(0x82, u16(100, 50, 320, 240)));
    await deskd.line("pointer 201 101 640 480");
    viewer.say(key(30, true));
    await deskd.line("key 30 1");
    viewer.say(message(0x83, u16(0x110), 1));
    await deskd.line("button 272 1");
    viewer.drop();
    await deskd.line("key 30 0");
    await deskd.line("button 272 0");

    const watcher = await new Viewer(deskd.port).join(VIEW_TOKEN);
    watcher.say(key(31, true));
    watcher.say(message(0x86, Buffer.alloc(8)));
    await watcher.get(PONG);
    assert.ok(!deskd.lines.includes("key 31 1"));
    watcher.drop();
  });
});

describe("the end", () => {
  test("everybody is told, the exit is clean", async (t) => {
    const other = await Deskd.start();
    t.after(() => other.kill());
    const viewers = await Promise.all([1, 2, 3].map(
      () => new Viewer(other.port).join(TOKEN)));
    const stuck = await new Viewer(other.port).join(TOKEN);
    await stuck.until(() => stuck.frames > 0);
    stuck.socket.pause();
    await Promise.all(viewers.map((v) => v.until(() => v.frames > 0)));
    const stopped = other.stop();
    for (const viewer of viewers) {
      assert.equal(await viewer.goodbye(), SESSION_OVER);
      await viewer.until(() => viewer.closed);
      assert.equal(viewer.closeCode, 1001);
    }
    assert.deepEqual(await stopped, [0, null]);
    stuck.drop();
  });

  test("a port that is taken is an error that helps", async () => {
    await assert.rejects(
      Deskd.start(["--http", `127.0.0.1:${deskd.port}`]),
      /cannot listen on 127\.0\.0\.1.*another port/);
  });
});
