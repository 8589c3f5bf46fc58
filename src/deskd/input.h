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
