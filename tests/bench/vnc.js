// SPDX-License-Identifier: LGPL-2.1-or-later
// noVNC with the same measuring hook as our own page: window.watch(x, y, w, h)
// promises the times at which the pixels there were drawn and painted, and
// window.portholeShown counts the frames in which anything was drawn.
import RFB from "/novnc/core/rfb.js";

const rfb = new RFB(document.querySelector("#screen"),
  `ws://${location.host}/vnc`, { shared: true });
rfb.scaleViewport = false;
rfb.focusOnClick = true;
rfb.addEventListener("connect", () => { document.body.dataset.ready = "yes"; });

/** @type {null | {rect: number[], old: string, resolve: Function}} */
let watching = null;

function look(canvas, rect) {
  return canvas.getContext("2d").getImageData(...rect).data.join();
}

function check(canvas) {
  if (!watching || !canvas.isConnected) return;
  const now = look(canvas, watching.rect);
  if (now === watching.old) return;
  const { resolve } = watching;
  const noticed = performance.now();
  watching = null;
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () =>
      resolve({ noticed, painted: performance.now() });
    channel.port2.postMessage(0);
  });
}

window.portholeShown = 0;
let fresh = false;
(function count() {
  window.portholeShown += Number(fresh);
  fresh = false;
  requestAnimationFrame(count);
})();

// Every way of drawing to the canvas that is seen.
for (const name of ["drawImage", "putImageData", "fillRect"]) {
  const draw = CanvasRenderingContext2D.prototype[name];
  CanvasRenderingContext2D.prototype[name] = function drawn(...args) {
    draw.apply(this, args);
    fresh ||= this.canvas.isConnected;
    check(this.canvas);
  };
}

window.watch = (...rect) => {
  const canvas = document.querySelector("#screen canvas");
  const changed = new Promise((resolve) => {
    watching = { rect, old: look(canvas, rect), resolve };
  });
  return { changed };
};
