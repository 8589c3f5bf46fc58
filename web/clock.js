// SPDX-License-Identifier: LGPL-2.1-or-later
// Matches the server's clock to ours by ping exchanges: the exchange with the
// shortest round trip says most, and it is wrong by half of it at most.

/** Crystals drift apart by this much at worst (50 ppm each way). */
const DRIFT = 1e-4;
const KEPT = 32;

/** Our time in µs, the same in the page and in its worker. */
export function now() {
  return (performance.timeOrigin + performance.now()) * 1000;
}

/** @typedef {{at: number, rtt: number, offset: number}} Exchange */

export class Clock {
  /** @type {Exchange[]} */
  #exchanges = [];

  reset() {
    this.#exchanges = [];
  }

  /**
   * All in µs: ours when the ping left, the server's when it answered, ours
   * when the answer was here.
   * @param {number} sent
   * @param {number} server
   * @param {number} received
   */
  add(sent, server, received) {
    this.#exchanges.push({
      at: received,
      rtt: received - sent,
      offset: server - (sent + received) / 2,
    });
    if (this.#exchanges.length > KEPT) this.#exchanges.shift();
  }

  /**
   * The best that is known at a time: server time = ours + offset, wrong by
   * at most error. Null before the first exchange.
   * @param {number} at
   */
  best(at) {
    let best = null;
    for (const { at: when, rtt, offset } of this.#exchanges) {
      const error = rtt / 2 + Math.max(0, at - when) * DRIFT;
      if (!best || error <= best.error) best = { offset, error, rtt };
    }
    return best;
  }
}
