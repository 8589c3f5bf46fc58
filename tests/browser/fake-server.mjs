// SPDX-License-Identifier: LGPL-2.1-or-later
// A porthole-deskd without a desktop, for the page's own tests: serves web/
// and a clip. A pressed key, a button or step() sends the next frame; what the
// viewers say is recorded.
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import http from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { WebSocketServer } from "ws";
import * as wire from "./wire.mjs";

const WEB = fileURLToPath(new URL("../../web/", import.meta.url));
const KINDS = new Map([
  [".html", "text/html; charset=utf-8"], [".js", "text/javascript"],
  [".css", "text/css"], [".svg", "image/svg+xml"],
]);
const HEADERS = {
  "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; worker-src 'self'; " +
    "media-src 'self' blob: mediastream:; style-src 'self'; " +
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "X-Content-Type-Options": "nosniff",
  "Cache-Control": "no-store",
};
/** What the fake says of each frame, µs by stage. */
export const STAGES = [500, 700, 100, 200, 50, 1400, 50];
const ON_THE_WAY = STAGES.reduce((a, b) => a + b);

function now() {
  return Number(process.hrtime.bigint() / 1000n);
}

/**
 * @param {http.IncomingMessage} request
 * @param {http.ServerResponse} response
 */
async function serveFile(request, response) {
  const name = new URL(request.url ?? "/", "http://x").pathname;
  if (name === "/outputs") {
    response.writeHead(200, { ...HEADERS, "Content-Type": "application/json" });
    response.end('{"outputs":[{"name":""}]}');
    return;
  }
  const file = path.join(WEB, name === "/" ? "index.html" : name);
  const kind = KINDS.get(path.extname(file));
  try {
    if (!kind || !file.startsWith(WEB)) throw new Error("no such file");
    const body = await readFile(file);
    response.writeHead(200, { ...HEADERS, "Content-Type": kind });
    response.end(body);
  } catch {
    response.writeHead(404, HEADERS).end();
  }
}

export class FakeServer {
  token = "secret";
  mayDrive = true;
  version = 1;
  /** Sent instead of a first frame. @type {Buffer | null} */
  instead = null;
  /** Answers a key with the next frame, after so many ms. */
  echo = true;
  delay = 0;
  /** @type {{type: string, at: number, [field: string]: any}[]} */
  said = [];
  viewers = new Set();
  may = 1; // what the desktop can do: 127 all, with a longer toolbar
  #clip;
  #next = 0;
  #sequence = 0;
  #http = http.createServer(serveFile);
  #sockets = new WebSocketServer({
    server: this.#http, path: "/ws", perMessageDeflate: false,
    handleProtocols: (offered) =>
      offered.has("porthole.1") ? "porthole.1" : false,
  });
  #heartbeat = setInterval(() =>
    this.send(wire.unchanged(now())), 1000);

  /** @param {Awaited<ReturnType<import("./clip.mjs").makeClip>>} clip */
  constructor(clip) {
    this.#clip = clip;
    this.#sockets.on("connection", (socket) => this.#accept(socket));
  }

  /** @param {number} [port] */
  async listen(port = 0) {
    this.#http.listen(port, "127.0.0.1");
    await once(this.#http, "listening");
    return this;
  }

  get port() {
    return /** @type {import("node:net").AddressInfo} */ (
      this.#http.address()).port;
  }

  get url() {
    return `http://127.0.0.1:${this.port}/#token=${this.token}`;
  }

  /** The clip's frame that was sent last. */
  get frame() {
    return this.#next - 1;
  }

  /** @param {Awaited<ReturnType<import("./clip.mjs").makeClip>>} clip */
  change(clip) {
    this.#clip = clip;
    this.#begin(this.viewers);
  }

  /** Sends the clip's next frame; after the last one, its first. */
  step() {
    if (this.#next >= this.#clip.units.length) this.#next = 0;
    this.#frame(this.viewers);
  }

  /** @param {Buffer} message */
  send(message, to = this.viewers) {
    for (const socket of to) {
      if (!socket.paused) socket.send(message);
    }
  }

  /** Drops every viewer, as a crash would. */
  cut() {
    for (const socket of this.#sockets.clients) socket.terminate();
  }

  async close() {
    clearInterval(this.#heartbeat);
    this.cut();
    this.#sockets.close();
    this.#http.closeAllConnections?.();
    this.#http.close();
    await once(this.#http, "close");
  }

  /** @param {Iterable<any>} to */
  #begin(to) {
    const { width, height, codec } = this.#clip;
    this.#next = 0;
    this.send(wire.config(width, height, codec), new Set(to));
    this.#frame(to);
  }

  /** @param {Iterable<any>} to */
  #frame(to) {
    const sent = now();
    const data = this.#clip.units[this.#next];
    this.send(wire.frame({
      flags: this.#next === 0 ? 1 : 0, sequence: this.#sequence++,
      captured: sent - ON_THE_WAY, sent, stages: STAGES, data,
    }), new Set(to));
    this.#next++;
  }

  /** @param {any} socket */
  #accept(socket) {
    socket._socket.setNoDelay(true);
    socket.on("close", () => this.viewers.delete(socket));
    socket.on("message", (/** @type {Buffer} */ bytes) => {
      const said = { ...wire.parse(bytes), at: now() };
      this.said.push(said);
      this.#answer(socket, said);
    });
  }

  /**
   * @param {any} socket
   * @param {{type: string, [field: string]: any}} said
   */
  #answer(socket, said) {
    switch (said.type) {
      case "auth": this.#auth(socket, said.token); break;
      case "ping": socket.send(wire.pong(said.token, now())); break;
      case "key":
      case "button":
        if (!this.echo || !said.pressed) break;
        if (this.delay) setTimeout(() => this.step(), this.delay);
        else this.step();
        break;
      case "clipboard":
      case "file":
        if (said.flags & 2) socket.send(wire.progress(1, said.id, 0, "sent"));
        break;
      case "keyframe": this.#begin([socket]); break;
      case "settings": socket.paused = (said.flags & 1) !== 0; break;
    }
  }

  /**
   * @param {any} socket
   * @param {string} token
   */
  #auth(socket, token) {
    if (token !== this.token) {
      socket.send(wire.notice("GOODBYE", 1, "wrong token"));
      socket.close();
      return;
    }
    socket.send(wire.welcome(this.version, this.mayDrive,
      "test desktop", this.may));
    this.viewers.add(socket);
    if (this.instead) socket.send(this.instead);
    else this.#begin([socket]);
  }
}
