// SPDX-License-Identifier: LGPL-2.1-or-later
// The page's words, numbers and token, without a page.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { screenFor } from "../../web/messages.js";
import { rowsOf } from "../../web/overlay.js";
import {
  ALL_STAGES, Statistics, latencyOf, percentile,
} from "../../web/statistics.js";
import { tokenFrom } from "../../web/token.js";

/** @type {import("../../web/messages.js").Condition} */
const FINE = {
  secure: true, codecs: true, broken: false, token: true, state: "open", attempt: 0,
  seconds: 1, pictured: true, everPictured: true, status: null,
  goodbye: null, failed: null, version: 1, host: "box:8080",
};

describe("messages", () => {
  /** @type {[string | undefined, object][]} */
  const cases = [
    [undefined, {}],
    ["insecure", { codecs: false, secure: false }],
    ["no-webcodecs", { codecs: false }],
    ["broken", { broken: true }],
    ["no-token", { token: false }],
    ["connecting", { state: "connecting", everPictured: false }],
    ["reconnecting", { state: "waiting", attempt: 1 }],
    ["reconnecting", { state: "connecting", attempt: 3 }],
    ["unreachable", { state: "waiting", attempt: 4 }],
    ["unreachable", { state: "waiting", attempt: 1, everPictured: false }],
    ["bad-token", { state: "closed", goodbye: { code: 1, text: "" } }],
    ["bad-message", { state: "closed", goodbye: { code: 2, text: "" } }],
    ["too-many", { state: "waiting", goodbye: { code: 3, text: "" } }],
    ["session-over", { state: "closed", goodbye: { code: 4, text: "" } }],
    ["goodbye", { state: "closed", goodbye: { code: 99, text: "no" } }],
    ["version", { version: 2 }],
    ["decoder", { failed: { codec: "avc1", text: "no" } }],
    ["no-host", { status: { code: 1, text: "" } }],
    ["no-frame", { status: { code: 2, text: "" }, pictured: false }],
    ["no-desktop", { status: { code: 3, text: "" } }],
    ["status", { status: { code: 77, text: "what" } }],
    ["waiting", { pictured: false }],
  ];
  for (const [id, condition] of cases) {
    it(`${id ?? "none"} for ${JSON.stringify(condition)}`, () => {
      assert.equal(screenFor({ ...FINE, ...condition })?.id, id);
    });
  }

  it("keeps an old picture in sight while it may come back", () => {
    const away = { ...FINE, status: { code: 1, text: "away" } };
    assert.equal(screenFor(away)?.small, true);
    assert.equal(screenFor({ ...away, pictured: false })?.small, false);
  });

  it("says how to reach the host by ssh", () => {
    const screen = screenFor({ ...FINE, codecs: false, secure: false });
    assert.equal(screen?.command, "ssh -L 8080:localhost:8080 box");
    const plain = screenFor(
      { ...FINE, codecs: false, secure: false, host: "box" });
    assert.equal(plain?.command, "ssh -L 8080:localhost:80 box");
  });
});

/** @returns {import("../../web/decoder.js").Picture} */
function picture() {
  return {
    message: {
      type: "frame", stream: 0, key: true, repeat: false, sequence: 1,
      captured: 1000, sent: 1000 + 2800,
      stages: [100, 200, 300, 400, 500, 600, 700], data: new Uint8Array(9),
    },
    size: 61, timestamp: 1, arrived: 50_000, decoded: 53_000,
  };
}

describe("statistics", () => {
  it("stages add up to the whole", () => {
    const { total, stages } = latencyOf(picture(), 54_000, -45_000);
    assert.equal(stages.length, ALL_STAGES.length);
    assert.equal(total, 8000);
    assert.equal(stages.reduce((a, b) => a + b), total);
    assert.deepEqual(stages.slice(-3), [1200, 3000, 1000]);
  });

  it("counts the last second", () => {
    const statistics = new Statistics();
    for (let i = 0; i < 90; i++) {
      statistics.arrived(i * 1e6 / 60, 1000, i === 0);
      statistics.presented(picture(), i * 1e6 / 60, null);
    }
    const snapshot = statistics.snapshot(89e6 / 60 + 1, null);
    assert.equal(snapshot.fps, 60);
    assert.equal(snapshot.received, 60);
    assert.equal(snapshot.bitrate, 480_000);
    assert.equal(snapshot.frameBytes, 1000);
    assert.equal(snapshot.keyframes, 1);
    assert.equal(snapshot.frames, 90);
    assert.equal(snapshot.latency, null, "no clock, no latency");
  });

  it("gives means whose stages add up, and percentiles", () => {
    const statistics = new Statistics();
    const match = { offset: -45_000, error: 100, rtt: 200 };
    for (let i = 0; i < 100; i++) {
      statistics.presented(picture(), 54_000 + i * 100, match);
    }
    const { latency, clock } = statistics.snapshot(0, match);
    assert.ok(latency);
    const sum = Object.values(latency.stages).reduce((a, b) => a + b);
    assert.ok(Math.abs(sum - latency.total) < 0.001);
    assert.ok(Math.abs(latency.p50 - 13) < 1e-9);
    assert.ok(Math.abs(latency.p95 - 17.5) < 1e-9);
    assert.deepEqual(clock, { rtt: 0.2, error: 0.1 });
    const rows = rowsOf(statistics.snapshot(0, match), null, "track");
    assert.ok(rows.some(([name]) => name === "· encode"));
  });

  it("percentile", () => {
    assert.equal(percentile([3, 1, 2], 0.5), 2);
    assert.equal(percentile([1], 0.95), 1);
  });
});

describe("token", () => {
  it("is found in a link, in a fragment, alone", () => {
    for (const text of ["http://x:1/#token=a-B_9", "#token=a-B_9",
      "token=a-B_9", " a-B_9 ", "http://x/?q=1#a=b&token=a-B_9"]) {
      assert.equal(tokenFrom(text), "a-B_9", text);
    }
  });

  it("is not what cannot be one", () => {
    for (const text of ["", "#", "#token=", "#token=a b", "#other=x",
      "x".repeat(129)]) {
      assert.equal(tokenFrom(text), "", text);
    }
  });
});

describe("the page", () => {
  const html = readFileSync(new URL("../../web/index.html", import.meta.url),
    "utf8");

  it("lives under a strict Content-Security-Policy", () => {
    assert.doesNotMatch(html, /<style|style=|\son\w+=|javascript:/);
    assert.doesNotMatch(html, /<script(?![^>]*src=)/);
    assert.doesNotMatch(html, /https?:\/\/(?!…)/);
  });
});
