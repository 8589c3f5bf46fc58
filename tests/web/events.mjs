// SPDX-License-Identifier: LGPL-2.1-or-later
// For tests of input: events that are not a browser's, and what an Input sent.
import { Input } from "../../web/input.js";
import * as wire from "../browser/wire.mjs";

/** @type {any} */
const CONFIG = { type: "config", stream: 0, width: 1920, height: 1080,
  codec: "" };

/** An Input, and what it sent since it was asked last, a line a message. */
export function makeInput() {
  /** @type {string[]} */
  let sent = [];
  const input = new Input((bytes) => {
    const { type, ...said } = wire.parse(Buffer.from(bytes));
    sent.push([type, ...Object.values(said)].join(" "));
  });
  input.enabled = true;
  input.config = CONFIG;
  return {
    input,
    taken() {
      const result = sent;
      sent = [];
      return result;
    },
  };
}

/**
 * @param {EventTarget} target
 * @param {string} type
 * @param {object} fields
 */
export function fire(target, type, fields = {}) {
  const event = new Event(type, { cancelable: true });
  Object.assign(event, fields);
  target.dispatchEvent(event);
  return event;
}
