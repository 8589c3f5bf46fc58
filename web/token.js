// SPDX-License-Identifier: LGPL-2.1-or-later
// The session's secret: comes in the address's fragment, which no server and
// no log sees, leaves the address bar at once, and stays for this tab only.
import { MAX_TOKEN } from "./protocol.js";

const KEY = "porthole.token";

/**
 * The token in a link, in its fragment, or as such.
 * @param {string} text
 */
export function tokenFrom(text) {
  const trimmed = text.trim();
  const fragment = trimmed.includes("#") ?
    trimmed.slice(trimmed.indexOf("#") + 1) : trimmed;
  const token = /^[^=&]*$/.test(fragment) ? fragment :
    new URLSearchParams(fragment).get("token") ?? "";
  return token.length <= MAX_TOKEN && /^[\x21-\x7e]+$/.test(token) ?
    token : "";
}

/** Takes the token out of the address bar, or out of this tab's memory. */
export function takeToken() {
  if (location.hash.length > 1) {
    const token = tokenFrom(location.hash);
    history.replaceState(null, "", location.pathname + location.search);
    if (token) keepToken(token);
    return token;
  }
  try {
    return sessionStorage.getItem(KEY) ?? "";
  } catch {
    return ""; // storage is forbidden
  }
}

/** @param {string} token */
export function keepToken(token) {
  try {
    sessionStorage.setItem(KEY, token);
  } catch {
    // A reload will ask for the link again.
  }
}
