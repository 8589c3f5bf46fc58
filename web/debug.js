// SPDX-License-Identifier: LGPL-2.1-or-later
// window.porthole: what tests and measurements ask of the page. Times are ms
// of this page's performance.now().
//
//   thread, painter       where it decodes, what it paints into
//   condition             of the connection (messages.js)
//   picture()             its width and height, as the server said
//   statistics()          promise of { ...Snapshot, last }, last being the
//                         newest presented frame: { sequence, presented, … }
//   pixels(x, y, w, h)    promise of the RGBA bytes there, null before a frame
//   watch(x, y, w, h)     promise, once the watch began, of { changed }: a
//                         promise of the first frame in which these pixels
//                         differ: { sequence, captured, sent, arrived,
//                         decoded, noticed, presented, painted }

/**
 * @typedef {import("./player.js").Command} Command
 * @typedef {import("./player.js").Notice} Notice
 * @typedef {(value: any) => void} Resolve
 */

/** @param {number} us */
function pageTime(us) {
  return us / 1000 - performance.timeOrigin;
}

/** @param {import("./player.js").Shown} shown its times in the page's ms */
function inPageTime(shown) {
  const times = Object.entries(shown)
    .filter(([name]) => name !== "timestamp")
    .map(([name, value]) =>
      [name, name === "sequence" ? value : pageTime(value)]);
  return Object.fromEntries(times);
}

/**
 * @param {(command: Command) => void} command
 * @param {object} facts
 * @param {() => import("./geometry.js").Size} picture
 * @returns {(notice: Notice) => void} to be told of the player's notices
 */
export function exposeDebug(command, facts, picture) {
  let id = 0;
  /** @type {Map<number, Resolve>} */
  const asked = new Map();
  /** @type {Map<number, Resolve>} */
  const begun = new Map();
  /** @type {Resolve[]} */
  let snapshots = [];

  Object.defineProperty(window, "porthole", { value: Object.freeze({
    ...facts,
    picture,
    statistics: () => new Promise((resolve) => {
      snapshots.push(resolve);
      command({ type: "snapshot" });
    }),
    /** @type {(...rect: number[]) => Promise<unknown>} */
    pixels: (x, y, width, height) => new Promise((resolve) => {
      asked.set(++id, resolve);
      command({ type: "pixels", id, rect: { x, y, width, height } });
    }),
    /** @type {(...rect: number[]) => Promise<unknown>} */
    watch: (x, y, width, height) => new Promise((resolve) => {
      const mine = ++id;
      const changed = new Promise((later) => { begun.set(mine, later); });
      asked.set(mine, () => resolve({ changed }));
      command({ type: "watch", id: mine, rect: { x, y, width, height } });
    }),
  }) });

  /**
   * @param {Map<number, Resolve>} waiting
   * @param {number} which
   * @param {unknown} [value]
   */
  function answer(waiting, which, value) {
    waiting.get(which)?.(value);
    waiting.delete(which);
  }

  return (notice) => {
    if (notice.type === "snapshot") {
      const last = notice.last && inPageTime(notice.last);
      snapshots.forEach((resolve) => resolve({ ...notice.snapshot, last }));
      snapshots = [];
    } else if (notice.type === "pixels") {
      answer(asked, notice.id, notice.pixels);
    } else if (notice.type === "watch") {
      if (notice.change) {
        answer(begun, notice.id, inPageTime(notice.change));
      } else {
        answer(asked, notice.id);
      }
    }
  };
}
