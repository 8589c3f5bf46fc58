// SPDX-License-Identifier: LGPL-2.1-or-later
// A viewer over a bare socket, for tests of the server: it can read slowly or
// not at all, and say what no browser would. Frames are counted, their bytes
// are not kept.
import { once } from "node:events";
import net from "node:net";

export const GOODBYE = 7;
const FRAME = 3;
const FRAME_HEAD = 52;

/** A WebSocket frame of a client. */
export function wsFrame(payload, first = 0x82) {
  const long = payload.length >= 126;
  const head = Buffer.alloc(long ? 8 : 6);
  head[0] = first;
  head[1] = 0x80 | (long ? 126 : payload.length);
  if (long) head.writeUInt16BE(payload.length, 2);
  const mask = head.subarray(head.length - 4);
  mask.set([7, 11, 13, 17]);
  return Buffer.concat([head, payload.map((b, i) => b ^ mask[i % 4])]);
}

/** A message of the browser protocol. */
export function message(type, body = Buffer.alloc(0), flags = 0) {
  return Buffer.concat([Buffer.from([type, flags, 0, 0]), body]);
}

export function u16(...values) {
  return Buffer.from(Uint16Array.from(values).buffer);
}

export function auth(token) {
  const text = Buffer.from(token);
  return message(0x80, Buffer.concat([Buffer.from([text.length]), text]));
}

export class Viewer {
  status = 0; // of the handshake
  bytes = 0; // of WebSocket payload
  frames = 0;
  keyframes = 0;
  messages = []; // all but frames: Buffers
  closed = false;
  closeCode = 0;
  firstFrame = 0; // performance.now()
  stageError = 0; // of a frame, µs: the worst
  #head = Buffer.alloc(0);
  #left = 0; // of the payload
  #payload = []; // of a short message
  #opcode = 0;
  #size = 0;
  #waiting = [];

  constructor(port) {
    this.port = port;
    this.socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
    this.socket.on("error", () => this.#end());
    this.socket.on("close", () => this.#end());
  }

  /** The handshake; resolves when the server answered. */
  async open(headers = {}, path = "/ws") {
    const all = {
      Host: `127.0.0.1:${this.port}`,
      Upgrade: "websocket",
      Connection: "Upgrade",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Protocol": "porthole.1",
      ...headers,
    };
    const lines = Object.entries(all).map(([k, v]) => `${k}: ${v}\r\n`);
    this.socket.write(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
    let text = "";
    while (!text.includes("\r\n\r\n")) {
      const [chunk] = await once(this.socket, "data");
      text += chunk.toString("latin1");
    }
    const end = text.indexOf("\r\n\r\n") + 4;
    this.status = Number(text.split(" ")[1]);
    this.answer = text;
    if (this.status === 101) {
      this.socket.on("data", (chunk) => this.#received(chunk));
      this.#received(Buffer.from(text.slice(end), "latin1"));
    }
    return this;
  }

  async join(token, path = "/ws") {
    await this.open({}, path);
    this.say(auth(token));
    return this;
  }

  say(payload) {
    this.socket.write(wsFrame(payload));
  }

  /** Resolves when condition() holds; it is looked at after each chunk. */
  until(condition) {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push({ condition, resolve });
    });
  }

  /** The first message of this type. */
  async get(type) {
    const find = () => this.messages.find((m) => m[0] === type);
    await this.until(() => find() || this.closed);
    return find();
  }

  async goodbye() {
    return (await this.get(GOODBYE))?.readUInt16LE(4);
  }

  drop() {
    this.socket.destroy();
  }

  #end() {
    this.closed = true;
    this.#look();
  }

  #look() {
    for (const w of this.#waiting.filter(({ condition }) => condition())) {
      this.#waiting.splice(this.#waiting.indexOf(w), 1);
      w.resolve();
    }
  }

  #received(chunk) {
    let pos = 0;
    while (pos < chunk.length) {
      if (this.#left > 0) {
        const n = Math.min(this.#left, chunk.length - pos);
        const have = this.#size - this.#left;
        if (have < 512) {
          this.#payload.push(Buffer.from(
            chunk.subarray(pos, pos + Math.min(n, 512 - have))));
        }
        this.#left -= n;
        pos += n;
        if (this.#left === 0) this.#message();
      } else {
        const rest = Buffer.concat([this.#head, chunk.subarray(pos)]);
        const used = this.#header(rest);
        pos += used === 0 ? chunk.length - pos : used - this.#head.length;
        this.#head = used === 0 ? rest : Buffer.alloc(0);
      }
    }
    this.#look();
  }

  /** Takes a frame's head; returns its length, 0 when it is not whole. */
  #header(data) {
    if (data.length < 2) return 0;
    const short = data[1] & 127;
    const used = short === 127 ? 10 : short === 126 ? 4 : 2;
    if (data.length < used) return 0;
    this.#size = short;
    if (short === 126) this.#size = data.readUInt16BE(2);
    if (short === 127) this.#size = Number(data.readBigUInt64BE(2));
    this.#opcode = data[0] & 15;
    this.#left = this.#size;
    this.#payload = [];
    if (this.#size === 0) this.#message();
    return used;
  }

  #message() {
    const data = Buffer.concat(this.#payload);
    this.bytes += this.#size;
    if (this.#opcode === 8) {
      this.closeCode = data.length >= 2 ? data.readUInt16BE(0) : 1005;
    } else if (this.#opcode === 10) {
      this.pong = data;
    } else if (data[0] === FRAME) {
      this.#frame(data);
    } else {
      this.messages.push(data);
    }
  }

  #frame(data) {
    this.firstFrame ||= performance.now();
    this.frames++;
    this.keyframes += data[1] & 1;
    const captured = data.readBigUInt64LE(8);
    const sent = data.readBigUInt64LE(16);
    let sum = 0;
    for (let i = 24; i < FRAME_HEAD; i += 4) sum += data.readUInt32LE(i);
    const error = Math.abs(Number(sent - captured) - sum);
    this.stageError = Math.max(this.stageError, error);
  }
}
