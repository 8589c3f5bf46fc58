// SPDX-License-Identifier: LGPL-2.1-or-later
// Access units to pictures by WebCodecs. A delta is decoded only when every
// frame since the last keyframe was; after a loss or an error the decoder
// waits for the next keyframe and asks for one. Events: "picture", which
// gives its VideoFrame away, "needkeyframe", "dropped" and "failed".
import { log } from "./log.js";

/** More pictures than this on their way: drop, go on from a keyframe. */
const MAX_PENDING = 30;
/** As many errors without a picture in between, and it is hopeless. */
const MAX_ERRORS = 3;
/** How long to wait for a keyframe before asking again. */
const ASK_AGAIN_MS = 1000;

/**
 * A frame's message and its times here, µs of our clock.
 * @typedef {object} Picture
 * @property {import("./protocol.js").Frame} message
 * @property {number} size of the message
 * @property {number} timestamp of the VideoFrame: unique, growing
 * @property {number} arrived
 * @property {number} decoded
 */

export class PictureEvent extends Event {
  /**
   * @param {VideoFrame} frame the listener closes it
   * @param {Picture} picture
   */
  constructor(frame, picture) {
    super("picture");
    this.frame = frame;
    this.picture = picture;
  }
}

export class FailedEvent extends Event {
  /**
   * @param {string} codec
   * @param {string} text
   */
  constructor(codec, text) {
    super("failed");
    this.codec = codec;
    this.text = text;
  }
}

/**
 * @typedef {object} Codecs what a test puts in place of the browser's
 * @property {typeof VideoDecoder} VideoDecoder
 * @property {typeof EncodedVideoChunk} EncodedVideoChunk
 * @property {() => number} now µs
 */

export class Decoder extends EventTarget {
  #codecs;
  /** @type {VideoDecoder | null} */
  #decoder = null;
  /** @type {VideoDecoderConfig | null} */
  #config = null;
  #waiting = true;
  #asked = 0;
  #errors = 0;
  #lastTimestamp = 0;
  /** @type {Map<number, Picture>} by timestamp: given to the decoder */
  #pending = new Map();

  /** @param {Codecs} codecs */
  constructor(codecs) {
    super();
    this.#codecs = codecs;
  }

  /** Is the next picture to come from a keyframe? */
  get waiting() {
    return this.#waiting;
  }

  /** @param {import("./protocol.js").Config} config */
  configure(config) {
    const { codec, width, height } = config;
    if (this.#config?.codec !== codec || this.#config.codedWidth !== width ||
        this.#config.codedHeight !== height) {
      this.#config = {
        codec, codedWidth: width, codedHeight: height,
        optimizeForLatency: true,
      };
      this.#errors = 0;
      this.#build();
    }
    this.#waiting = true;
  }

  /** Frames were missed on purpose (a pause, a new connection). */
  skip() {
    this.#waiting = true;
    this.#asked = 0;
  }

  close() {
    this.#config = null;
    this.#teardown();
  }

  /**
   * @param {import("./protocol.js").Frame} message
   * @param {number} arrived
   * @param {number} size
   */
  decode(message, arrived, size) {
    if (!this.#decoder) return;
    if (message.key) {
      if (this.#pending.size > MAX_PENDING) this.#build();
      this.#waiting = false;
    } else if (!this.#waiting && this.#pending.size > MAX_PENDING) {
      log("warn", `the decoder is ${this.#pending.size} frames behind`);
      this.#waiting = true;
      this.#asked = 0;
    }
    if (this.#waiting) {
      this.dispatchEvent(new Event("dropped"));
      this.#ask();
      return;
    }
    const timestamp = Math.max(this.#lastTimestamp + 1, message.captured);
    this.#lastTimestamp = timestamp;
    this.#pending.set(timestamp,
      { message, size, timestamp, arrived, decoded: 0 });
    try {
      this.#decoder.decode(new this.#codecs.EncodedVideoChunk({
        type: message.key ? "key" : "delta",
        timestamp,
        data: message.data,
      }));
    } catch (error) {
      this.#broken(String(error));
    }
  }

  #ask() {
    const now = this.#codecs.now();
    if (this.#asked && now - this.#asked < ASK_AGAIN_MS * 1000) return;
    this.#asked = now;
    this.dispatchEvent(new Event("needkeyframe"));
  }

  #teardown() {
    const decoder = this.#decoder;
    this.#decoder = null;
    this.#pending.clear();
    if (decoder && decoder.state !== "closed") decoder.close();
  }

  #build() {
    this.#teardown();
    if (!this.#config) return;
    /** @type {VideoDecoder} */
    const decoder = new this.#codecs.VideoDecoder({
      output: (frame) => this.#output(decoder, frame),
      error: (error) => {
        if (this.#decoder === decoder) this.#broken(error.message);
      },
    });
    this.#decoder = decoder;
    try {
      decoder.configure(this.#config);
    } catch (error) {
      this.#broken(String(error));
    }
  }

  /**
   * @param {VideoDecoder} decoder
   * @param {VideoFrame} frame
   */
  #output(decoder, frame) {
    const picture = this.#pending.get(frame.timestamp);
    if (this.#decoder !== decoder || !picture) {
      frame.close();
      return;
    }
    picture.decoded = this.#codecs.now();
    // One out means that everything before it is out.
    for (const timestamp of this.#pending.keys()) {
      if (timestamp <= frame.timestamp) this.#pending.delete(timestamp);
    }
    this.#errors = 0;
    this.dispatchEvent(new PictureEvent(frame, picture));
  }

  /** @param {string} text */
  #broken(text) {
    log("warn", `decoder: ${text}`);
    const codec = this.#config?.codec ?? "";
    this.#waiting = true;
    this.#asked = 0;
    this.#teardown();
    if (++this.#errors >= MAX_ERRORS) {
      this.dispatchEvent(new FailedEvent(codec, text));
      return;
    }
    this.#build();
    this.#ask();
  }
}
