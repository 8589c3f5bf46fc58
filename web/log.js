// SPDX-License-Identifier: LGPL-2.1-or-later
// The page's one log function: everything goes to the browser's console.

/**
 * @param {"error" | "warn" | "info"} level
 * @param {string} what
 * @param {unknown} [more]
 */
export function log(level, what, more) {
  const rest = more === undefined ? [] : [more];
  console[level](`porthole: ${what}`, ...rest);
}
