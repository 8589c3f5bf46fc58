// SPDX-License-Identifier: LGPL-2.1-or-later
// The statistics overlay.
import { find } from "./screens.js";
import { ALL_STAGES } from "./statistics.js";

/** @param {number} ms */
function inMs(ms) {
  return `${ms.toFixed(Math.abs(ms) < 1 ? 2 : 1)} ms`;
}

/** @param {number} bits */
function inBits(bits) {
  return bits >= 1e6 ? `${(bits / 1e6).toFixed(2)} Mbit/s` :
    `${(bits / 1e3).toFixed(0)} kbit/s`;
}

/**
 * Names and values, top to bottom.
 * @param {import("./statistics.js").Snapshot} s
 * @param {{width: number, height: number, codec: string} | null} config
 * @param {string} painting
 * @returns {[string, string][]}
 */
export function rowsOf(s, config, painting) {
  const { latency, clock } = s;
  /** @type {[string, string][]} */
  const rows = [
    ["Picture", config ? `${config.width} × ${config.height}` : "–"],
    ["Codec", config?.codec ?? "–"],
    ["Painted by", painting],
    ["Frames", `${s.fps} fps`],
    ["Rate", inBits(s.bitrate)],
    ["Mean frame", `${(s.frameBytes / 1000).toFixed(1)} kB`],
    ["Keyframes", String(s.keyframes)],
    ["Dropped", `${s.dropped}, not shown ${s.skipped}`],
    ["Round trip", clock ? inMs(clock.rtt) : "–"],
    ["Clock error", clock ? `± ${inMs(clock.error)}` : "–"],
  ];
  if (!latency) return rows;
  return [
    ...rows,
    ["Latency", inMs(latency.total)],
    ["p50, p95", `${inMs(latency.p50)}, ${inMs(latency.p95)}`],
    ...ALL_STAGES.map((name) => /** @type {[string, string]} */ (
      [`· ${name}`, inMs(latency.stages[name])])),
  ];
}

export class Overlay {
  #root = find(document, "#statistics");
  #list = find(this.#root, "dl");

  get visible() {
    return !this.#root.hidden;
  }

  /** @param {boolean} visible */
  show(visible) {
    this.#root.hidden = !visible;
  }

  /** @param {[string, string][]} rows */
  fill(rows) {
    this.#list.replaceChildren(...rows.flatMap(([name, value]) => {
      const term = document.createElement("dt");
      const data = document.createElement("dd");
      term.textContent = name;
      data.textContent = value;
      return [term, data];
    }));
  }
}
