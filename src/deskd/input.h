/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a viewer's input goes. Main thread only. Every implementation counts
 * what is held down, so that release_all leaves nothing pressed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ph_input;

#define PH_INPUT_MAX_FINGERS 10

enum ph_input_touch {
    PH_INPUT_TOUCH_DOWN,
    PH_INPUT_TOUCH_MOVE,
    PH_INPUT_TOUCH_UP,
    PH_INPUT_TOUCH_CANCEL,
};

struct ph_input_ops {
    const char *name;
    /* evdev codes of linux/input-event-codes.h. */
    void (*key)(struct ph_input *input, uint16_t code, bool pressed);
    void (*button)(struct ph_input *input, uint16_t code, bool pressed);
    /* Absolute, in pixels of a picture of width x height. */
    void (*pointer)(struct ph_input *input, uint32_t x, uint32_t y,
            uint32_t width, uint32_t height);
    /* 120 is one detent; positive is right and down. */
    void (*wheel)(struct ph_input *input, int dx, int dy, bool smooth);

    /* --- NULL where the desktop has no such thing --- */

    /* By so much from where the pointer is; 1/256 pixel. */
    void (*motion)(struct ph_input *input, int32_t dx, int32_t dy);
    /* Text that is no key of the layout (IME, emoji). UTF-8, not terminated,
     * checked, without control characters but newline and tab. */
    void (*text)(struct ph_input *input, const char *text, size_t len);
    /* A finger, 0 to PH_INPUT_MAX_FINGERS - 1; x and y as for pointer, of no
     * meaning for UP and CANCEL. */
    void (*touch)(struct ph_input *input, enum ph_input_touch what,
            uint8_t finger, uint32_t x, uint32_t y, uint32_t width,
            uint32_t height);
    /* Makes the desktop's locks those of the viewer's keyboard: before its
     * next key. */
    void (*locks)(struct ph_input *input, bool caps, bool num);

    /* Fingers, too. */
    void (*release_all)(struct ph_input *input);
    void (*destroy)(struct ph_input *input);
};

struct ph_input {
    const struct ph_input_ops *ops;
};

/* layout: XKB names "de", "us(intl)", "de,us"; NULL for "us". NULL on failure:
 * error[size] says why and what to do. */
struct ph_input *ph_input_wlr_create(const char *display, const char *output,
        const char *layout, char *error, size_t size);

/* Takes everything and does nothing: for `--capture test`. */
struct ph_input *ph_input_none_create(void);
