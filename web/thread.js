// SPDX-License-Identifier: LGPL-2.1-or-later
// Starts a player in a Worker, or in the page itself (?thread=main, to measure
// the difference).
import { log } from "./log.js";
import { Player } from "./player.js";

/**
 * @typedef {import("./player.js").Command} Command
 * @typedef {import("./player.js").Notice} Notice
 */

/**
 * @param {"worker" | "main"} thread
 * @param {(notice: Notice) => void} heard
 * @param {() => void} broken it did not load
 * @returns {(command: Command) => void}
 */
export function startPlayer(thread, heard, broken) {
  if (thread === "main") {
    const player = new Player(heard);
    return (command) => player.handle(command);
  }
  const worker = new Worker(new URL("worker.js", import.meta.url),
    { type: "module", name: "porthole player" });
  worker.onmessage = (event) => heard(event.data);
  worker.onerror = (event) => {
    log("error", "worker", event.message);
    if (!event.message) broken(); // an error of loading has none
  };
  return (command) => worker.postMessage(command, transferred(command));
}

/**
 * @param {Command} command
 * @returns {Transferable[]}
 */
function transferred(command) {
  if (command.type === "send") return [command.bytes];
  if (command.type !== "start") return [];
  const { writable, canvas } = command;
  return [...writable ? [writable] : [], ...canvas ? [canvas] : []];
}
