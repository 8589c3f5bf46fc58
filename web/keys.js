// SPDX-License-Identifier: LGPL-2.1-or-later
// Physical keys: KeyboardEvent.code to Linux evdev codes. The desktop's own
// layout makes symbols of them.

/**
 * Codes in a row, from the first one on.
 * @param {number} first
 * @param {string} codes names, separated by blanks
 * @returns {[string, number][]}
 */
function row(first, codes) {
  return codes.split(" ").map((code, i) => [code, first + i]);
}

/** @type {ReadonlyMap<string, number>} */
export const KEYS = new Map([
  ...row(1, "Escape Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 " +
    "Digit9 Digit0 Minus Equal Backspace Tab"),
  ...row(16, "KeyQ KeyW KeyE KeyR KeyT KeyY KeyU KeyI KeyO KeyP BracketLeft " +
    "BracketRight Enter ControlLeft"),
  ...row(30, "KeyA KeyS KeyD KeyF KeyG KeyH KeyJ KeyK KeyL Semicolon Quote " +
    "Backquote ShiftLeft Backslash"),
  ...row(44, "KeyZ KeyX KeyC KeyV KeyB KeyN KeyM Comma Period Slash " +
    "ShiftRight NumpadMultiply AltLeft Space CapsLock"),
  ...row(59, "F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 NumLock ScrollLock"),
  ...row(71, "Numpad7 Numpad8 Numpad9 NumpadSubtract Numpad4 Numpad5 " +
    "Numpad6 NumpadAdd Numpad1 Numpad2 Numpad3 Numpad0 NumpadDecimal"),
  ...row(85, "Lang5 IntlBackslash F11 F12 IntlRo Lang3 Lang4 Convert " +
    "KanaMode NonConvert"),
  ...row(96, "NumpadEnter ControlRight NumpadDivide PrintScreen AltRight"),
  ...row(102, "Home ArrowUp PageUp ArrowLeft ArrowRight End ArrowDown " +
    "PageDown Insert Delete"),
  ...row(113, "AudioVolumeMute AudioVolumeDown AudioVolumeUp Power " +
    "NumpadEqual"),
  ["Pause", 119],
  ...row(121, "NumpadComma Lang1 Lang2 IntlYen MetaLeft MetaRight " +
    "ContextMenu BrowserStop Again Props Undo"),
  ...row(133, "Copy Open Paste Find Cut Help"),
  ["LaunchApp2", 140],
  ["Sleep", 142],
  ["WakeUp", 143],
  ["LaunchApp1", 144],
  ["LaunchMail", 155],
  ["BrowserFavorites", 156],
  ["BrowserBack", 158],
  ["BrowserForward", 159],
  ["Eject", 161],
  ...row(163, "MediaTrackNext MediaPlayPause MediaTrackPrevious MediaStop " +
    "MediaRecord MediaRewind"),
  ["BrowserHome", 172],
  ["BrowserRefresh", 173],
  ["NumpadParenLeft", 179],
  ["NumpadParenRight", 180],
  ...row(183, "F13 F14 F15 F16 F17 F18 F19 F20 F21 F22 F23 F24"),
  ["MediaPause", 201],
  ["MediaPlay", 207],
  ["MediaFastForward", 208],
  ["BrowserSearch", 217],
  ["BrightnessDown", 224],
  ["BrightnessUp", 225],
  ["MediaSelect", 226],
  ["MicrophoneMute", 248],
  ["Select", 353],
  ["Fn", 464],
  // What older browsers call some of them.
  ["OSLeft", 125],
  ["OSRight", 126],
  ["VolumeMute", 113],
  ["VolumeDown", 114],
  ["VolumeUp", 115],
]);

/** evdev codes of the keys that change what others mean. */
export const MODIFIERS = new Set([29, 42, 54, 56, 97, 100, 125, 126]);

/**
 * Mouse buttons: bit of MouseEvent.buttons to evdev code.
 * @type {ReadonlyArray<readonly [number, number]>}
 */
export const BUTTONS = [
  [1, 0x110], // left
  [2, 0x111], // right
  [4, 0x112], // middle
  [8, 0x113], // back
  [16, 0x114], // forward
];
