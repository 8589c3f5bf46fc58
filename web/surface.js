// SPDX-License-Identifier: LGPL-2.1-or-later
// The element that shows the picture, and what the player paints into: a
// track's stream for a <video> where the browser has generators, a canvas
// elsewhere (or with ?paint=canvas).
import { now } from "./clock.js";

/**
 * @typedef {object} Surface
 * @property {HTMLElement} element
 * @property {"track" | "canvas"} kind
 * @property {() => void} attach before the first picture, after the page's
 *   load event, which an empty <video> would hold back
 * @property {{writable: WritableStream<VideoFrame>}
 *   | {canvas: OffscreenCanvas}} target to be handed (transferred) to a player
 *
 * @typedef {(timestamp: number, at: number, painted: number) => void}
 *   Presented timestamp of the VideoFrame, and µs of our clock
 */

/**
 * @param {string | null} wanted
 * @param {Presented} presented
 * @returns {Surface}
 */
export function createSurface(wanted, presented) {
  if ("MediaStreamTrackGenerator" in globalThis && wanted !== "canvas") {
    return trackSurface(presented);
  }
  const element = document.createElement("canvas");
  return {
    element, kind: "canvas", attach() {},
    target: { canvas: element.transferControlToOffscreen() },
  };
}

/**
 * @param {Presented} presented
 * @returns {Surface}
 */
function trackSurface(presented) {
  const track = new MediaStreamTrackGenerator({ kind: "video" });
  const video = document.createElement("video");
  video.muted = true;
  video.autoplay = true;
  video.playsInline = true;
  video.disablePictureInPicture = true;
  // Where a browser paused it (the tab was away), it goes on.
  video.addEventListener("pause", () => video.play().catch(() => {}));

  /**
   * @param {number} _
   * @param {VideoFrameCallbackMetadata} data
   */
  function next(_, data) {
    // A track's mediaTime is the frame's timestamp.
    presented(Math.round(data.mediaTime * 1e6),
      (performance.timeOrigin + data.presentationTime) * 1000, now());
    video.requestVideoFrameCallback(next);
  }
  video.requestVideoFrameCallback(next);
  return {
    element: video, kind: "track", target: { writable: track.writable },
    attach() { video.srcObject = new MediaStream([track]); },
  };
}
