/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A keyboard's layout and the state of its modifiers: what a virtual
 * keyboard must tell the compositor besides the keys themselves. Main thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ph_keymap;

#define PH_KEYMAP_MAX_NAME 128

/* "us(intl),de" as XKB rules want it: layouts "us,de", variants "intl,". The
 * buffers have PH_KEYMAP_MAX_NAME bytes. False: not of this form. */
bool ph_keymap_split(const char *layout, char *layouts, char *variants);

/* layout: NULL for "us". NULL on failure: error[size] says why. */
struct ph_keymap *ph_keymap_create(
        const char *layout, char *error, size_t size);
void ph_keymap_destroy(struct ph_keymap *keymap);

/* The keymap's text in a sealed memory file, which the keymap owns; *size is
 * with the terminating NUL. */
int ph_keymap_fd(const struct ph_keymap *keymap, uint32_t *size);

struct ph_keymap_modifiers {
    uint32_t depressed;
    uint32_t latched;
    uint32_t locked;
    uint32_t group;
};
/* XKB's name for a character, as a number; Return for newline. */
uint32_t ph_keymap_symbol(uint32_t character);
/* Whether a key makes the symbol by itself, with Shift or with AltGr, in the
 * first layout. */
bool ph_keymap_types(const struct ph_keymap *keymap, uint32_t symbol);

/* A key (evdev code) went down or up. True: the modifiers changed. */
bool ph_keymap_update(struct ph_keymap *keymap, uint16_t code, bool pressed);
/* Makes the locks so. True: the modifiers changed. */
bool ph_keymap_lock(struct ph_keymap *keymap, bool caps, bool num);
void ph_keymap_get_modifiers(
        const struct ph_keymap *keymap, struct ph_keymap_modifiers *out);

/* Keymaps for characters that no key of a layout has: one for at most
 * PH_KEYMAP_CHARACTERS of them, each on a key that keyboards do not have. */
#define PH_KEYMAP_CHARACTERS 50
#define PH_KEYMAP_FIRST_CODE 195 /* evdev, of the first character */

/* The keymap's text in a sealed memory file, which is the caller's; -1 on
 * failure, which is logged. */
int ph_keymap_of_characters(const struct ph_keymap *keymap,
        const uint32_t *characters, size_t count, uint32_t *size);
