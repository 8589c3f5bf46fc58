// SPDX-License-Identifier: LGPL-2.1-or-later
// What the overlay shows: rates over the last second, latency over the last
// frames, counts since the start. Pure: times come in as µs of our clock.
import { STAGES } from "./protocol.js";

/** Where a frame's time goes, from the capture to the screen. */
export const ALL_STAGES = Object.freeze(
  [...STAGES, "network", "decode", "present"]);

const RATE_US = 1e6;
const LATENCY_FRAMES = 120;

/**
 * @typedef {{offset: number, error: number, rtt: number}} Match
 * @typedef {object} Snapshot ms where not said otherwise
 * @property {number} fps presented in the last second
 * @property {number} received frames in the last second
 * @property {number} bitrate bit/s over the last second
 * @property {number} frameBytes mean of the last frames
 * @property {number} frames presented since the start
 * @property {number} keyframes since the start
 * @property {number} dropped came and were not decoded
 * @property {number} skipped decoded, but a newer one was shown instead
 * @property {{rtt: number, error: number} | null} clock
 * @property {{total: number, p50: number, p95: number,
 *   stages: Record<string, number>} | null} latency means, but p50 and p95
 */

/**
 * One frame's latency by stage, µs. The stages add up to the total, which is
 * measured from end to end, when the server's own add up.
 * @param {import("./decoder.js").Picture} picture
 * @param {number} presented
 * @param {number} offset of the server's clock to ours
 */
export function latencyOf(picture, presented, offset) {
  const { message, arrived, decoded } = picture;
  return {
    total: presented + offset - message.captured,
    stages: [
      ...message.stages,
      arrived + offset - message.sent,
      decoded - arrived,
      presented - decoded,
    ],
  };
}

/**
 * @param {number[]} values
 * @param {number} part 0 to 1
 */
export function percentile(values, part) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
}

/** @param {number[]} values */
function mean(values) {
  return values.reduce((sum, v) => sum + v, 0) / (values.length || 1);
}

export class Statistics {
  keyframes = 0;
  dropped = 0;
  skipped = 0;
  frames = 0;
  /** @type {{at: number, size: number}[]} */
  #arrivals = [];
  /** @type {number[]} */
  #presented = [];
  /** @type {ReturnType<typeof latencyOf>[]} */
  #latency = [];

  /**
   * @param {number} at
   * @param {number} size
   * @param {boolean} key
   */
  arrived(at, size, key) {
    this.#arrivals.push({ at, size });
    while (this.#arrivals.length > LATENCY_FRAMES * 4) this.#arrivals.shift();
    if (key) this.keyframes++;
  }

  /**
   * @param {import("./decoder.js").Picture} picture
   * @param {number} at
   * @param {Match | null} match
   */
  presented(picture, at, match) {
    this.frames++;
    this.#presented.push(at);
    if (this.#presented.length > LATENCY_FRAMES * 4) this.#presented.shift();
    if (!match) return;
    this.#latency.push(latencyOf(picture, at, match.offset));
    if (this.#latency.length > LATENCY_FRAMES) this.#latency.shift();
  }

  /**
   * @param {number} at
   * @param {Match | null} match
   * @returns {Snapshot}
   */
  snapshot(at, match) {
    const recent = this.#arrivals.filter((a) => a.at > at - RATE_US);
    return {
      fps: this.#presented.filter((t) => t > at - RATE_US).length,
      received: recent.length,
      bitrate: recent.reduce((sum, a) => sum + a.size * 8, 0),
      frameBytes: mean(this.#arrivals.slice(-60).map((a) => a.size)),
      frames: this.frames,
      keyframes: this.keyframes,
      dropped: this.dropped,
      skipped: this.skipped,
      clock: match && { rtt: match.rtt / 1000, error: match.error / 1000 },
      latency: this.#latencies(),
    };
  }

  #latencies() {
    if (!this.#latency.length) return null;
    const totals = this.#latency.map((l) => l.total / 1000);
    /** @type {Record<string, number>} */
    const stages = {};
    ALL_STAGES.forEach((name, i) => {
      stages[name] = mean(this.#latency.map((l) => l.stages[i] / 1000));
    });
    return {
      total: mean(totals),
      p50: percentile(totals, 0.5),
      p95: percentile(totals, 0.95),
      stages,
    };
  }
}
