// SPDX-License-Identifier: LGPL-2.1-or-later
// What the page says instead of, or over, a picture: what is wrong and what to
// do. Pure: from the page's condition to words.
import { Goodbye, Status } from "./protocol.js";

/**
 * @typedef {object} Condition
 * @property {boolean} secure a secure context
 * @property {boolean} codecs WebCodecs is there
 * @property {boolean} broken a part of the page did not load
 * @property {boolean} token there is one
 * @property {import("./connection.js").State} state
 * @property {number} attempt failed ones in a row
 * @property {number} seconds until the next attempt
 * @property {boolean} pictured a picture came over this connection
 * @property {boolean} everPictured there is an old one on screen
 * @property {{code: number, text: string} | null} status not OK
 * @property {{code: number, text: string} | null} goodbye
 * @property {{codec: string, text: string} | null} failed
 * @property {number} version of the protocol, as the server says
 * @property {string} host of the page's address
 *
 * @typedef {object} Screen
 * @property {string} id
 * @property {string} title
 * @property {string[]} text paragraphs
 * @property {string[]} [steps] what to do
 * @property {string} [command] to copy
 * @property {"token" | "retry" | "reload"} [action]
 * @property {boolean} [busy] it may pass by itself
 * @property {boolean} [small] a line over the picture
 */

/** A new attempt is due soon: no need to hide the picture. */
const QUIET_ATTEMPTS = 3;

/** @type {Record<number, Omit<Screen, "text">>} */
const STATUS_SCREENS = {
  [Status.NO_HOST]: {
    id: "no-host",
    title: "The encoder is away",
    steps: [
      "It usually comes back by itself within seconds.",
      "If not: look whether porthole-hostd runs on the host, and whether " +
        "the desktop can reach it (porthole run --host …).",
    ],
  },
  [Status.NO_FRAME]: {
    id: "no-frame",
    title: "The desktop has shown nothing yet",
    steps: [
      "A desktop that is starting needs a few seconds.",
      "If nothing comes: read the output of porthole run.",
    ],
  },
  [Status.NO_DESKTOP]: {
    id: "no-desktop",
    title: "The desktop is away",
    steps: [
      "If it was restarted, it comes back here by itself.",
      "If it crashed: end porthole run and start it again.",
    ],
  },
};

/**
 * @param {Condition} condition
 * @returns {Screen}
 */
function withoutCodecs({ secure, host }) {
  if (!secure) {
    return {
      id: "insecure",
      title: "This address is not secure enough for video",
      text: [
        `Browsers decode video for a page only over https or from this ` +
          `computer itself, and this page came from ${host} by plain http.`,
      ],
      steps: [
        "Forward the port and open the same link on localhost:",
        "or serve the page over https (a reverse proxy with a certificate).",
      ],
      command: sshCommand(host),
    };
  }
  return {
    id: "no-webcodecs",
    title: "This browser cannot decode the picture",
    text: ["It lacks WebCodecs, which the viewer needs."],
    steps: [
      "Use a current Chrome, Edge or Chromium (94 or newer),",
      "Safari 16.4 or newer,",
      "or Firefox 130 or newer on a computer.",
    ],
  };
}

/** @param {string} host name:port */
function sshCommand(host) {
  const [, name, port] = /^(.*?)(?::(\d+))?$/.exec(host) ?? [];
  const number = port ?? "80";
  const local = Number(number) < 1024 ? "8080" : number;
  return `ssh -L ${local}:localhost:${number} ${name || "HOST"}`;
}

/** @type {Record<number, Omit<Screen, "text"> & {text?: string[]}>} */
const GOODBYES = {
  [Goodbye.BAD_TOKEN]: {
    id: "bad-token",
    title: "This link is not valid any more",
    text: ["Each session has a link of its own, with a secret in it."],
    steps: ["Open the complete link that porthole run printed last,",
      "or paste it here:"],
    action: "token",
  },
  [Goodbye.BAD_MESSAGE]: {
    id: "bad-message",
    title: "The server did not understand this page",
    text: ["The page and the server may be of different versions."],
    action: "reload",
  },
  [Goodbye.TOO_MANY]: {
    id: "too-many",
    title: "Too many viewers",
    text: ["The server takes no more viewers for this desktop now."],
    steps: ["Close a viewer elsewhere; this page tries again by itself."],
    action: "retry",
    busy: true,
  },
  [Goodbye.SESSION_OVER]: {
    id: "session-over",
    title: "The session is over",
    text: ["The desktop was ended, nothing is wrong here."],
    steps: ["Start a new one with porthole run, and open the link that it " +
      "prints."],
    action: "retry",
  },
};

/**
 * @param {Condition} condition
 * @returns {Screen | null}
 */
function offline({ state, attempt, seconds, everPictured, goodbye }) {
  if (goodbye) {
    const known = GOODBYES[goodbye.code];
    const said = goodbye.text ? [`The server says: ${goodbye.text}.`] : [];
    if (known) return { ...known, text: [...known.text ?? [], ...said] };
    return {
      id: "goodbye", title: "The server ended the connection", text: said,
      action: "retry",
    };
  }
  if (state === "open") return null;
  if (attempt === 0) {
    return {
      id: "connecting", title: "Connecting…", text: [], busy: true,
      small: everPictured,
    };
  }
  if (everPictured && attempt <= QUIET_ATTEMPTS) {
    return {
      id: "reconnecting", title: "Connection lost; reconnecting…", text: [],
      busy: true, small: true,
    };
  }
  return {
    id: "unreachable",
    title: "The server does not answer",
    text: [state === "waiting" ?
      `Trying again in ${seconds} s.` : "Trying again now…"],
    steps: [
      "Is porthole run still running there?",
      "Is the network up, and the ssh tunnel, if you use one?",
      "Did a proxy in between refuse the WebSocket?",
    ],
    action: "retry",
    busy: true,
  };
}

/**
 * What to show; null when the picture says it all.
 * @param {Condition} condition
 * @returns {Screen | null}
 */
export function screenFor(condition) {
  const { codecs, token, version, failed, status, pictured } = condition;
  if (!codecs) return withoutCodecs(condition);
  if (condition.broken) {
    return {
      id: "broken",
      title: "The page did not load completely",
      text: ["The server went away while it was loading, it seems."],
      action: "reload",
    };
  }
  if (!token) {
    return {
      id: "no-token",
      title: "The link is incomplete",
      text: ["It lacks the part after the #, which lets you in."],
      steps: ["Open the complete link that porthole run printed,",
        "or paste it here:"],
      action: "token",
    };
  }
  const lost = offline(condition);
  if (lost) return lost;
  if (version !== 1) {
    return {
      id: "version",
      title: "The page does not fit the server",
      text: [`The server speaks version ${version} of the protocol, this ` +
        "page version 1."],
      action: "reload",
    };
  }
  if (failed) {
    return {
      id: "decoder",
      title: "This browser failed to decode the picture",
      text: [`The codec is ${failed.codec}.`, `It says: ${failed.text}`],
      steps: [
        "Reload the page; if it fails again, use Chrome, Edge or Chromium,",
        "or start porthole run with another --encoder.",
      ],
      action: "reload",
    };
  }
  if (status && status.code !== Status.OK) {
    const known = STATUS_SCREENS[status.code] ??
      { id: "status", title: "The desktop is not ready" };
    const text = status.text ? [`The server says: ${status.text}.`] : [];
    return { ...known, text, busy: true, small: pictured };
  }
  if (!pictured) {
    return {
      id: "waiting", title: "Waiting for the first picture…", text: [],
      busy: true, small: condition.everPictured,
    };
  }
  return null;
}
