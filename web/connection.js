// SPDX-License-Identifier: LGPL-2.1-or-later
// The WebSocket to the server: authenticates, keeps the clocks matched,
// notices a dead peer, and connects again with back-off until it is told not
// to. Events: "state" and "message".
import { Clock, now } from "./clock.js";
import { log } from "./log.js";
import {
  Goodbye, ProtocolError, SUBPROTOCOL, VERSION, parse, writeAuth, writePing,
} from "./protocol.js";

const FIRST_DELAY = 250;
const LONGEST_DELAY = 5000;
/** At first a few quick pings, for the shortest round trip; then these. */
const QUICK_PINGS = 6;
const QUICK_PING_MS = 60;
const PING_MS = 2000;
/** As many of these without a word from the server, and it is dead. Counted,
 * since a computer that slept finds all its timers late. */
const MAX_UNANSWERED = 3;
const CONNECT_MS = 10000;

/**
 * connecting: the socket is not open yet. open: WELCOME came. waiting: for
 * the next attempt, at retryAt. closed: no attempt will follow.
 * @typedef {"connecting" | "open" | "waiting" | "closed"} State
 */

export class StateEvent extends Event {
  /**
   * @param {State} state
   * @param {number} attempt how many failed in a row
   * @param {number} retryIn ms
   */
  constructor(state, attempt, retryIn) {
    super("state");
    this.state = state;
    this.attempt = attempt;
    this.retryIn = retryIn;
  }
}

export class MessageEventIn extends Event {
  /**
   * @param {import("./protocol.js").Message} message
   * @param {number} arrived µs
   * @param {number} size bytes
   */
  constructor(message, arrived, size) {
    super("message");
    this.message = message;
    this.arrived = arrived;
    this.size = size;
  }
}

/**
 * What a test puts in place of the browser's.
 * @typedef {object} Environment
 * @property {new (url: string, protocol: string) => WebSocket} WebSocket
 * @property {(f: () => void, ms: number) => unknown} setTimeout
 * @property {(id: any) => void} clearTimeout
 */

/** @returns {Environment} */
function browser() {
  return {
    WebSocket: globalThis.WebSocket,
    setTimeout: (f, ms) => setTimeout(f, ms),
    clearTimeout: (id) => clearTimeout(id),
  };
}

export class Connection extends EventTarget {
  clock = new Clock();
  #url;
  #token;
  #env;
  /** @type {WebSocket | null} */
  #socket = null;
  #open = false;
  #over = false;
  #attempt = 0;
  /** @type {unknown} */
  #timer = null;
  /** @type {unknown} */
  #pingTimer = null;
  #pings = 0;
  #unanswered = 0;
  /** @type {Map<number, number>} token to when it left */
  #asked = new Map();

  /**
   * @param {string} url
   * @param {string} token
   * @param {Environment} [env]
   */
  constructor(url, token, env = browser()) {
    super();
    this.#url = url;
    this.#token = token;
    this.#env = env;
  }

  /** Connects, at once, whatever it was waiting for. */
  connect() {
    this.#drop();
    this.#over = false;
    this.#state("connecting");
    const socket = new this.#env.WebSocket(this.#url, SUBPROTOCOL);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => socket.send(writeAuth(this.#token));
    socket.onmessage = (event) => this.#received(event.data);
    socket.onclose = () => this.#lost();
    this.#timer = this.#env.setTimeout(() => this.#lost(), CONNECT_MS);
  }

  /** Ends it for good. */
  close() {
    this.#over = true;
    this.#drop();
    this.#state("closed");
  }

  /**
   * Sends now or never: what is not connected takes no input.
   * @param {ArrayBuffer} bytes
   */
  send(bytes) {
    if (this.#open) this.#socket?.send(bytes);
  }

  /**
   * @param {State} state
   * @param {number} [retryIn]
   */
  #state(state, retryIn = 0) {
    this.dispatchEvent(new StateEvent(state, this.#attempt, retryIn));
  }

  #drop() {
    this.#env.clearTimeout(this.#timer);
    this.#env.clearTimeout(this.#pingTimer);
    const socket = this.#socket;
    this.#socket = null;
    this.#open = false;
    this.#asked.clear();
    this.clock.reset();
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }

  #lost() {
    this.#drop();
    if (this.#over) {
      this.#state("closed");
      return;
    }
    const delay = Math.min(FIRST_DELAY * 2 ** this.#attempt, LONGEST_DELAY);
    this.#attempt++;
    this.#timer = this.#env.setTimeout(() => this.connect(), delay);
    this.#state("waiting", delay);
  }

  /** @param {unknown} data */
  #received(data) {
    const arrived = now();
    this.#unanswered = 0;
    if (!(data instanceof ArrayBuffer)) return;
    let message;
    try {
      message = parse(data);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      log("warn", error.message);
      return;
    }
    if (!message) return;
    if (message.type === "pong") {
      this.#pong(message, arrived);
    } else {
      if (message.type === "welcome") this.#welcomed(message);
      if (message.type === "goodbye") this.#over = isFinal(message.code);
      if (message.type === "frame") this.#attempt = 0;
      this.dispatchEvent(
        new MessageEventIn(message, arrived, data.byteLength));
    }
  }

  /** @param {import("./protocol.js").Welcome} welcome */
  #welcomed(welcome) {
    this.#env.clearTimeout(this.#timer);
    if (welcome.version !== VERSION) {
      log("error", `the server speaks version ${welcome.version}`);
    }
    this.#open = true;
    this.#pings = this.#unanswered = 0;
    this.#ping();
    this.#state("open");
  }

  #ping() {
    if (this.#unanswered >= MAX_UNANSWERED) {
      log("warn", "the server does not answer");
      this.#lost();
      return;
    }
    const token = this.#pings++;
    this.#asked.set(token, now());
    this.send(writePing(token));
    const quick = this.#pings < QUICK_PINGS;
    if (!quick) this.#unanswered++;
    this.#pingTimer = this.#env.setTimeout(() => this.#ping(),
      quick ? QUICK_PING_MS : PING_MS);
  }

  /**
   * @param {import("./protocol.js").Pong} pong
   * @param {number} arrived
   */
  #pong(pong, arrived) {
    const sent = this.#asked.get(pong.token);
    if (sent === undefined) return;
    for (const token of this.#asked.keys()) {
      if (token <= pong.token) this.#asked.delete(token);
    }
    this.clock.add(sent, pong.server, arrived);
  }
}

/** @param {number} code of a GOODBYE: is there no use in asking again? */
function isFinal(code) {
  return code !== Goodbye.TOO_MANY;
}
