// SPDX-License-Identifier: LGPL-2.1-or-later
// The viewer without its page: socket, decoder and painter, in a Worker or in
// the page itself, driven by commands and heard by notices, both plain
// objects that structured cloning takes. In a Worker because Chromium holds
// the page's own messages and timers back after a key until the next frame.
import { now } from "./clock.js";
import { Connection } from "./connection.js";
import { Decoder } from "./decoder.js";
import { CanvasPainter, TrackPainter } from "./painter.js";
import { Watches, readPixels } from "./pixels.js";
import { writeAck, writeKeyframe, writeSettings } from "./protocol.js";
import { Statistics } from "./statistics.js";

/** So many painted frames are remembered until they are presented. */
const MAX_SHOWING = 64;

/**
 * @typedef {import("./pixels.js").Rect} Rect
 * @typedef {import("./decoder.js").Picture} Picture
 * @typedef {{type: "start", url: string, token: string, fps: number,
 *     writable?: WritableStream<VideoFrame>, canvas?: OffscreenCanvas}
 *   | {type: "connect" | "close" | "snapshot"}
 *   | {type: "send", bytes: ArrayBuffer}
 *   | {type: "pause", paused: boolean}
 *   | {type: "presented", timestamp: number, at: number, painted: number}
 *   | {type: "pixels" | "watch", id: number, rect: Rect}} Command
 * @typedef {{timestamp: number, sequence: number, presented: number,
 *   painted: number}} Shown
 * @typedef {Shown & {captured: number, sent: number, arrived: number,
 *   decoded: number, noticed: number}} Change
 *   a rectangle's new pixels: which frame, and its times in µs of our clock;
 *   the first two are the server's, NaN before the clocks are matched
 * @typedef {import("./protocol.js").Welcome | import("./protocol.js").Config
 *   | import("./protocol.js").Notice
 *   | import("./protocol-seat.js").SeatMessage
 *   | {type: "state", state: import("./connection.js").State,
 *      attempt: number, retryIn: number}
 *   | {type: "picture"}
 *   | {type: "failed", codec: string, text: string}
 *   | {type: "snapshot", snapshot: import("./statistics.js").Snapshot,
 *      last: Shown | null}
 *   | {type: "pixels", id: number, pixels: Uint8ClampedArray | null}
 *   | {type: "watch", id: number, change: Change | null}} Notice
 */

export class Player {
  #post;
  /** @type {Connection | null} */
  #connection = null;
  #decoder = new Decoder({
    VideoDecoder: globalThis.VideoDecoder,
    EncodedVideoChunk: globalThis.EncodedVideoChunk,
    now,
  });
  /** @type {import("./painter.js").Painter | null} */
  #painter = null;
  #statistics = new Statistics();
  #stream = 0;
  #fps = 0;
  #paused = false;
  #pictured = false;
  /** @type {{frame: VideoFrame, picture: Picture} | null} */
  #last = null;
  /** @type {Map<number, Picture>} by timestamp: painted, not yet presented */
  #showing = new Map();
  #watches = new Watches(
    (id, change) => this.#post({ type: "watch", id, change }),
    () => this.#connection?.clock.best(now())?.offset ?? NaN);

  /** @param {(notice: Notice) => void} post */
  constructor(post) {
    this.#post = post;
    this.#decoder.addEventListener("picture", (event) =>
      this.#picture(/** @type {any} */ (event)));
    this.#decoder.addEventListener("needkeyframe", () =>
      this.#send(writeKeyframe(this.#stream)));
    this.#decoder.addEventListener("dropped", () => {
      this.#statistics.dropped++;
    });
    this.#decoder.addEventListener("failed", (event) => {
      const { codec, text } =
        /** @type {import("./decoder.js").FailedEvent} */ (event);
      this.#pictured = false;
      post({ type: "failed", codec, text });
    });
  }

  /** @param {Command} command */
  handle(command) {
    switch (command.type) {
      case "start": this.#start(command); break;
      case "connect": this.#connection?.connect(); break;
      case "close": this.#connection?.close(); break;
      case "send": this.#send(command.bytes); break;
      case "pause": this.#pause(command.paused); break;
      case "presented":
        this.#presented(command.timestamp, command.at, command.painted);
        break;
      case "snapshot": this.#snapshot(); break;
      case "pixels":
        this.#post({
          type: "pixels", id: command.id,
          pixels: this.#last && readPixels(this.#last.frame, command.rect),
        });
        break;
      case "watch":
        this.#watches.begin(command.id, command.rect, this.#last);
        break;
    }
  }

  /** @param {Extract<Command, {type: "start"}>} command */
  #start({ url, token, fps, writable, canvas }) {
    this.#connection?.close();
    this.#fps = fps;
    if (writable) this.#painter = new TrackPainter(writable);
    if (canvas) {
      this.#painter = new CanvasPainter(canvas, (timestamp) =>
        this.#presented(timestamp, now(), now()));
    }
    const connection = new Connection(url, token);
    this.#connection = connection;
    connection.addEventListener("state", (event) => {
      const { state, attempt, retryIn } =
        /** @type {import("./connection.js").StateEvent} */ (event);
      if (state === "open") this.#settings();
      this.#post({ type: "state", state, attempt, retryIn });
    });
    connection.addEventListener("message", (event) => this.#message(
      /** @type {import("./connection.js").MessageEventIn} */ (event)));
    connection.connect();
  }

  /** @param {ArrayBuffer} bytes */
  #send(bytes) {
    this.#connection?.send(bytes);
  }

  #settings() {
    if (!this.#paused && !this.#fps) return; // what a server begins with
    this.#send(writeSettings(this.#stream, this.#paused, this.#fps));
  }

  /** @param {boolean} paused */
  #pause(paused) {
    if (paused === this.#paused) return;
    this.#paused = paused;
    this.#send(writeSettings(this.#stream, paused, this.#fps));
    this.#decoder.skip();
    if (!paused) this.#send(writeKeyframe(this.#stream));
  }

  /** @param {import("./connection.js").MessageEventIn} event */
  #message({ message, arrived, size }) {
    switch (message.type) {
      case "config":
        this.#stream = message.stream;
        this.#decoder.configure(message);
        this.#post(message);
        break;
      case "frame":
        this.#statistics.arrived(arrived, size, message.key);
        this.#decoder.decode(message, arrived, size);
        break;
      case "welcome":
        this.#decoder.skip();
        this.#pictured = false;
        this.#post(message);
        break;
      case "status":
      case "goodbye":
      case "cursor":
      case "clipboard":
      case "progress":
        this.#post(message);
        break;
    }
  }

  /** @param {import("./decoder.js").PictureEvent} event */
  #picture({ frame, picture }) {
    this.#last?.frame.close();
    this.#last = { frame: frame.clone(), picture };
    this.#watches.look(this.#last);
    this.#showing.set(picture.timestamp, picture);
    if (this.#showing.size > MAX_SHOWING) this.#forget();
    this.#painter?.paint(frame);
    if (!this.#pictured) {
      this.#pictured = true;
      this.#post({ type: "picture" });
    }
  }

  #forget() {
    const [oldest] = this.#showing.keys();
    this.#showing.delete(oldest);
    this.#statistics.skipped++;
  }

  /**
   * @param {number} timestamp
   * @param {number} at when it was presented
   * @param {number} painted when the page saw that
   */
  #presented(timestamp, at, painted) {
    const picture = this.#showing.get(timestamp);
    if (!picture) return;
    for (const older of this.#showing.keys()) {
      if (older < timestamp) this.#forget();
    }
    this.#showing.delete(timestamp);
    const { arrived, decoded, message } = picture;
    this.#statistics.presented(
      picture, at, this.#connection?.clock.best(at) ?? null);
    this.#send(writeAck(message.stream, message.sequence, decoded - arrived,
      at - decoded));
    this.#watches.shown({
      timestamp, sequence: message.sequence, presented: at, painted,
    });
  }

  #snapshot() {
    const at = now();
    const match = this.#connection?.clock.best(at) ?? null;
    this.#post({
      type: "snapshot", snapshot: this.#statistics.snapshot(at, match),
      last: this.#watches.lastShown,
    });
  }
}
