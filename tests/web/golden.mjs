// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads tests/golden/*.hex: '#' comments, of which "# field: value" tells what
// the message says, then its bytes in hex.
import { readFileSync } from "node:fs";

const GOLDEN = new URL("../golden/", import.meta.url);

/** @param {string} name without .hex */
export function golden(name) {
  const lines = readFileSync(new URL(`${name}.hex`, GOLDEN), "utf8")
    .split("\n");
  /** @type {Record<string, string>} */
  const fields = {};
  let hex = "";
  for (const line of lines) {
    const field = /^# (\w+): (.*)$/.exec(line);
    if (field) fields[field[1]] = field[2];
    if (!line.startsWith("#")) hex += line.replaceAll(/\s/g, "");
  }
  const bytes = Uint8Array.from(Buffer.from(hex, "hex"));
  return { fields, bytes, buffer: bytes.buffer };
}

/**
 * Of a field like "1 2 0x30": its numbers.
 * @param {string} value
 */
export function numbers(value) {
  return value.split(" ").map(Number);
}
