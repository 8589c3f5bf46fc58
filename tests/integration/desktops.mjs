// SPDX-License-Identifier: LGPL-2.1-or-later
// The desktops that the suite runs on, and what each of them can do.
// PORTHOLE_DESKTOP says which one it is, sway by default.
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import process from "node:process";

const WL_PATCH = process.env.PORTHOLE_WL_PATCH ?? "";
const X_PATCH = process.env.PORTHOLE_X_PATCH ?? "";

const WAYLAND = {
  terminal: ["foot"],
  copy: ["wl-copy", "--type"],
  paste: ["wl-paste", "--no-newline", "--type"],
  textType: "text/plain;charset=utf-8",
  /** Of a program that reaches the desktop by its folder. */
  env: (dir) => ({
    XDG_RUNTIME_DIR: dir,
    WAYLAND_DISPLAY: readdirSync(dir).find((entry) =>
      /^wayland-\d+$/.test(entry)),
  }),
};

const MUTTER = {
  ...WAYLAND,
  compositor: "mutter",
  parts: ["dbus-daemon", "pipewire", "wireplumber"],
  patch: [WL_PATCH, "fullscreen"],
  prompt: [300, 130, 400, 60],
  resize: true,
  steps: true,
  touch: true,
};

/**
 * compositor, and parts: what it starts besides. terminal: the one that it
 * shows. layouts: --layout is the desktop's. resize: it can become as large as
 * the window. touch: it has fingers, which else are pointer and wheel. steps:
 * it knows --keepalive pointer.
 * patch: the test window, and its arguments. prompt: a part of the picture with some of a
 * terminal's first line in it. copy and paste: programs that do, env: the
 * environment in which they reach the desktop.
 */
export const DESKTOPS = {
  sway: {
    ...WAYLAND,
    compositor: "sway",
    parts: [],
    patch: [WL_PATCH],
    prompt: [0, 0, 400, 60],
    layouts: true,
    resize: true,
  },
  gnome: {
    ...MUTTER,
    compositor: "gnome-shell",
    layouts: true,
  },
  mutter: MUTTER,
  xvfb: {
    compositor: "Xvfb",
    parts: [],
    terminal: ["xterm", "-maximized"],
    patch: [X_PATCH],
    prompt: [0, 0, 400, 60],
    layouts: true,
    resize: true,
    copy: ["xclip", "-selection", "clipboard", "-t"],
    paste: ["xclip", "-selection", "clipboard", "-o", "-t"],
    textType: "UTF8_STRING",
    env: (dir, run) => ({
      XAUTHORITY: path.join(dir, "Xauthority"),
      DISPLAY: /--display\0(:\d+)/.exec(readFileSync(
        `/proc/${run.find("porthole-deskd")}/cmdline`, "utf8"))?.[1],
    }),
  },
};

/** @type {string} */
export const name = process.env.PORTHOLE_DESKTOP ?? "sway";
/** @type {Record<string, any>} */
export const desktop = DESKTOPS[name];
export const SIZE = { width: 1280, height: 720 };
/** The arguments of `porthole run` for it. */
export const RUN = [
  "--desktop", name, "--size", `${SIZE.width}x${SIZE.height}`];

/** For a test that needs one of the desktop's abilities. */
export function needs(what) {
  return { skip: desktop[what] ? false : `not by ${name}` };
}

const shots = process.env.PORTHOLE_SHOTS;

/** A screenshot, where the user wants some. */
export async function shoot(viewer, title) {
  if (shots) {
    await viewer.screenshot(path.join(shots, `${name}-${title}.png`));
  }
}
