// SPDX-License-Identifier: LGPL-2.1-or-later
// The web server of porthole-deskd: the page, who may ask, what it says of
// itself, and what it does with peers that are slow or speak no HTTP.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import { after, before, describe, test } from "node:test";
import { Deskd, TOKEN, VIEW_TOKEN } from "./deskd.mjs";
import { Viewer } from "./viewer.mjs";

const WEB = new URL("../../web/", import.meta.url);
let deskd;

/** A request with any headers; resolves with status, headers and body. */
async function ask(path, headers = {}, method = "GET") {
  const request = http.request({
    port: deskd.port, host: "127.0.0.1", path, headers, method,
  });
  request.end();
  const [answer] = await once(request, "response");
  const chunks = [];
  for await (const chunk of answer) chunks.push(chunk);
  const { statusCode: status, headers: got } = answer;
  return { status, headers: got, body: Buffer.concat(chunks) };
}

before(async () => { deskd = await Deskd.start(); });
after(async () => {
  assert.deepEqual(await deskd.stop(), [0, null]);
});

describe("the page", () => {
  test("every file of web/ is built in", async () => {
    for (const name of await readdir(WEB)) {
      const { status, body, headers } = await ask(`/${name}`);
      assert.equal(status, 200, name);
      assert.deepEqual(body, await readFile(new URL(name, WEB)), name);
      assert.match(headers["content-type"], /javascript|html|css|svg/);
      assert.equal(headers["x-content-type-options"], "nosniff");
      assert.equal(headers["referrer-policy"], "no-referrer");
      assert.equal(headers["cache-control"], "no-cache");
      const csp = headers["content-security-policy"];
      assert.match(csp, /default-src 'none'/);
      assert.doesNotMatch(csp, /unsafe/);
    }
  });

  test("/ is the page, and is not sent again unchanged", async () => {
    const first = await ask("/");
    assert.equal(first.status, 200);
    assert.match(first.headers["content-type"], /^text\/html/);
    const tag = first.headers.etag;
    const again = await ask("/index.html", { "If-None-Match": tag });
    assert.equal(again.status, 304);
    assert.equal(again.body.length, 0);
    const head = await ask("/", {}, "HEAD");
    assert.equal(head.status, 200);
    assert.equal(head.body.length, 0);
  });

  test("nothing else is", async () => {
    for (const path of ["/nothing.js", "/../meson.build", "/%2e%2e/x.js",
      "/.git/config", "//etc/passwd", "/a/../../main.c", "/main.js%00.html",
      "/web", "/main.js/"]) {
      const { status } = await ask(path);
      assert.ok(status === 404 || status === 400, `${path}: ${status}`);
    }
    assert.equal((await ask("/", {}, "POST")).status, 405);
    assert.equal((await ask("/", {}, "DELETE")).status, 405);
  });
});

describe("who may ask", () => {
  test("a name that is not ours is refused", async () => {
    const { port } = deskd;
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`,
      `[::1]:${port}`]) {
      assert.equal((await ask("/health", { Host: host })).status, 200, host);
    }
    for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1",
      `127.0.0.1:${port + 1}`]) {
      const { status, body } = await ask("/", { Host: host });
      assert.equal(status, 403, host);
      assert.match(body.toString(), /--allow-host/);
    }
  });

  test("a page of somebody else is refused", async () => {
    const own = { Origin: `http://localhost:${deskd.port}` };
    assert.equal((await ask("/health", own)).status, 200);
    for (const origin of ["https://evil.example", "null"]) {
      const { status, body } = await ask("/health", { Origin: origin });
      assert.equal(status, 403);
      assert.match(body.toString(), /--allow-origin/);
      const viewer = await new Viewer(deskd.port).open({ Origin: origin });
      assert.equal(viewer.status, 403);
    }
    const rebound = await new Viewer(deskd.port).open({ Host: "evil.example" });
    assert.equal(rebound.status, 403);
  });

  test("--allow-host and --allow-origin let more in", async (t) => {
    const other = await Deskd.start(["--allow-host", "desk.example",
      "--allow-origin", "https://portal.example"]);
    t.after(() => other.kill());
    const viewer = await new Viewer(other.port).open({
      Host: "desk.example", Origin: "https://portal.example",
    });
    assert.equal(viewer.status, 101);
    viewer.drop();
    await other.stop();
  });

  test("figures need the token, health does not", async () => {
    const health = await ask("/health");
    assert.deepEqual(Object.keys(JSON.parse(health.body.toString())).sort(),
      ["height", "ok", "status", "viewers", "width"]);
    assert.equal((await ask("/stats")).status, 401);
    const bearer = (t) => ({ Authorization: `Bearer ${t}` });
    assert.equal((await ask("/stats", bearer("wrong"))).status, 401);
    assert.equal((await ask("/stats", bearer(VIEW_TOKEN))).status, 200);
    const stats = JSON.parse((await ask("/stats", bearer(TOKEN))).body);
    for (const key of ["frames", "units", "keyframes_forced", "viewers",
      "pixels_converted", "bytes_sent", "dropped"]) {
      assert.equal(typeof stats[key], "number", key);
    }
  });
});

describe("peers that behave badly", () => {
  test("a request that does not end is cut off", { timeout: 60000 },
    async () => {
      const slow = net.connect(deskd.port, "127.0.0.1");
      slow.on("error", () => {}).resume();
      slow.write("GET / HTTP/1.1\r\nX-Slow: ");
      const drip = setInterval(() => slow.write("x"), 500);
      await once(slow, "close");
      clearInterval(drip);
    });

  test("garbage and 300 connections disturb nobody", { timeout: 60000 },
    async () => {
      const good = await new Viewer(deskd.port).join(TOKEN);
      await good.until(() => good.frames > 5);
      const crowd = [];
      for (let i = 0; i < 300; i++) {
        const socket = net.connect(deskd.port, "127.0.0.1");
        socket.on("error", () => {});
        socket.on("connect", () => {
          if (i % 3 === 1) socket.write("\x00\xff\x16\x03\x01garbage\r\n\r\n");
          if (i % 3 === 2) socket.write(`GET /${"x".repeat(9000)}`);
        });
        crowd.push(socket);
      }
      const frames = good.frames;
      assert.equal((await ask("/health")).status, 200);
      await good.until(() => good.frames > frames + 30);
      crowd.forEach((socket) => socket.destroy());
      assert.equal(good.closed, false);
      good.drop();
      await deskd.statsWhen((s) => s.viewers === 0);
    });

  test("a body is neither wanted nor kept", async () => {
    const memory = await deskd.memory();
    const socket = net.connect(deskd.port, "127.0.0.1");
    socket.on("error", () => {}).resume();
    socket.write(`POST / HTTP/1.1\r\nHost: 127.0.0.1:${deskd.port}\r\n` +
      "Content-Length: 50000000\r\n\r\n");
    const part = Buffer.alloc(1 << 20);
    for (let i = 0; i < 40 && !socket.destroyed; i++) {
      await new Promise((resolve) => { socket.write(part, resolve); });
    }
    socket.destroy();
    assert.equal((await ask("/health")).status, 200);
    assert.ok(await deskd.memory() - memory < 16 << 20);
  });
});
