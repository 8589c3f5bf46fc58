// SPDX-License-Identifier: LGPL-2.1-or-later
// The key table, against the names of linux/input-event-codes.h.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { BUTTONS, KEYS } from "../../web/keys.js";

const HEADER = "/usr/include/linux/input-event-codes.h";

/** @type {Record<string, string>} what is called otherwise there */
const NAMES = {
  Escape: "ESC", Equal: "EQUAL", BracketLeft: "LEFTBRACE",
  BracketRight: "RIGHTBRACE", Enter: "ENTER", ControlLeft: "LEFTCTRL",
  Quote: "APOSTROPHE", Backquote: "GRAVE", ShiftLeft: "LEFTSHIFT",
  Period: "DOT", ShiftRight: "RIGHTSHIFT", AltLeft: "LEFTALT",
  NumpadMultiply: "KPASTERISK", NumpadSubtract: "KPMINUS",
  NumpadAdd: "KPPLUS", NumpadDecimal: "KPDOT", NumpadEnter: "KPENTER",
  NumpadDivide: "KPSLASH", NumpadEqual: "KPEQUAL", NumpadComma: "KPCOMMA",
  NumpadParenLeft: "KPLEFTPAREN", NumpadParenRight: "KPRIGHTPAREN",
  Lang1: "HANGEUL", Lang2: "HANJA", Lang3: "KATAKANA", Lang4: "HIRAGANA",
  Lang5: "ZENKAKUHANKAKU", IntlBackslash: "102ND", IntlRo: "RO",
  IntlYen: "YEN", Convert: "HENKAN", NonConvert: "MUHENKAN",
  KanaMode: "KATAKANAHIRAGANA", ControlRight: "RIGHTCTRL",
  AltRight: "RIGHTALT", PrintScreen: "SYSRQ", MetaLeft: "LEFTMETA",
  MetaRight: "RIGHTMETA", ContextMenu: "COMPOSE", AudioVolumeMute: "MUTE",
  AudioVolumeDown: "VOLUMEDOWN", AudioVolumeUp: "VOLUMEUP",
  BrowserStop: "STOP", LaunchApp2: "CALC", LaunchApp1: "FILE",
  LaunchMail: "MAIL", BrowserFavorites: "BOOKMARKS", BrowserBack: "BACK",
  BrowserForward: "FORWARD", Eject: "EJECTCD", MediaTrackNext: "NEXTSONG",
  MediaPlayPause: "PLAYPAUSE", MediaTrackPrevious: "PREVIOUSSONG",
  MediaStop: "STOPCD", MediaRecord: "RECORD", MediaRewind: "REWIND",
  BrowserHome: "HOMEPAGE", BrowserRefresh: "REFRESH",
  MediaPause: "PAUSECD", MediaPlay: "PLAY", BrowserSearch: "SEARCH",
  MediaFastForward: "FASTFORWARD", MediaSelect: "MEDIA",
  MicrophoneMute: "MICMUTE", OSLeft: "LEFTMETA", OSRight: "RIGHTMETA",
  VolumeMute: "MUTE", WakeUp: "WAKEUP",
};

/** @param {string} code */
function linuxName(code) {
  const plain = NAMES[code] ?? code
    .replace(/^(Key|Digit|Arrow)/, "").replace(/^Numpad/, "KP");
  return `KEY_${plain.toUpperCase()}`;
}

test("every code is the kernel's", { skip: !existsSync(HEADER) }, () => {
  const text = readFileSync(HEADER, "utf8");
  for (const [code, value] of KEYS) {
    const name = linuxName(code);
    const line = new RegExp(`^#define ${name}\\s+(\\w+)`, "m").exec(text);
    assert.ok(line, `${code}: no ${name}`);
    assert.equal(value, Number(line[1]), `${code}, ${name}`);
  }
});

test("every key of a usual keyboard is there", () => {
  const range = (/** @type {number} */ n, /** @type {any} */ f) =>
    Array.from({ length: n }, f);
  const wanted = [
    ...[..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"].map((c) => `Key${c}`),
    ...range(10, (/** @type {any} */ _, /** @type {number} */ i) =>
      `Digit${i}`),
    ...range(10, (/** @type {any} */ _, /** @type {number} */ i) =>
      `Numpad${i}`),
    ...range(24, (/** @type {any} */ _, /** @type {number} */ i) =>
      `F${i + 1}`),
    "IntlBackslash", "IntlRo", "IntlYen", "Lang1", "Lang2", "ContextMenu",
    "PrintScreen", "ScrollLock", "Pause", "NumLock", "CapsLock",
  ];
  assert.deepEqual(wanted.filter((code) => !KEYS.has(code)), []);
});

test("buttons are left, right, middle, back, forward", () => {
  assert.deepEqual(BUTTONS.map(([, code]) => code),
    [0x110, 0x111, 0x112, 0x113, 0x114]);
});
