// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pixelAt, place } from "../../web/geometry.js";

const HD = { width: 1920, height: 1080 };

describe("place", () => {
  it("does not scale a picture of the window's size", () => {
    for (const mode of /** @type {const} */ (["fit", "actual"])) {
      assert.deepEqual(place(HD, HD, 1, mode),
        { left: 0, top: 0, ...HD });
    }
  });

  it("does not scale for a rounding error", () => {
    const room = { width: 1280.2, height: 720.1 };
    const { width } = place(room, HD, 1.5, "fit");
    assert.equal(Math.round(width * 1.5), 1920);
  });

  it("fits into any window, its shape kept, in the middle", () => {
    for (const room of [
      { width: 800, height: 600 }, { width: 3000, height: 500 },
      { width: 300, height: 2000 }, { width: 1921, height: 1079 },
    ]) {
      for (const ratio of [1, 1.25, 2, 0.67]) {
        const box = place(room, HD, ratio, "fit");
        assert.ok(box.left >= 0 && box.top >= 0);
        assert.ok(box.left + box.width <= room.width + 1 / ratio);
        assert.ok(box.top + box.height <= room.height + 1 / ratio);
        const error = box.width * HD.height / HD.width - box.height;
        assert.ok(Math.abs(error) * ratio <= 1.1, `${error}`);
        for (const value of Object.values(box)) {
          const pixels = value * ratio;
          assert.ok(Math.abs(pixels - Math.round(pixels)) < 1e-6);
        }
      }
    }
  });

  it("shows a pixel as a pixel, whatever the ratio", () => {
    const box = place({ width: 800, height: 600 }, HD, 2, "actual");
    assert.deepEqual(box, { left: 0, top: 30, width: 960, height: 540 });
  });
});

describe("pixelAt", () => {
  const box = { left: 100, top: 50, width: 960, height: 540 };

  it("maps corners to corners", () => {
    assert.deepEqual(pixelAt(box, HD, 100, 50), { x: 0, y: 0 });
    assert.deepEqual(pixelAt(box, HD, 1059.9, 589.9), { x: 1919, y: 1079 });
  });

  it("stays inside", () => {
    assert.deepEqual(pixelAt(box, HD, 0, 0), { x: 0, y: 0 });
    assert.deepEqual(pixelAt(box, HD, 5000, 5000), { x: 1919, y: 1079 });
    assert.deepEqual(pixelAt(box, HD, 1060, 590), { x: 1919, y: 1079 });
  });

  it("finds every pixel's middle, at any size", () => {
    for (const width of [640, 777, 1920, 2500]) {
      const at = { left: 13.5, top: 7.25, width, height: width * 9 / 16 };
      for (let x = 0; x < 1920; x++) {
        const middle = at.left + (x + 0.5) * at.width / 1920;
        assert.equal(pixelAt(at, HD, middle, 8).x, x);
      }
    }
  });
});
