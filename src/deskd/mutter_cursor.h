/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pointer as a buffer of PipeWire's describes it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "deskd/capture.h"

struct spa_buffer;

/* Bytes of the description with a shape of side x side pixels. */
#define PH_MUTTER_CURSOR_META(side)                                            \
    ((int)(sizeof(struct spa_meta_cursor) + sizeof(struct spa_meta_bitmap) +   \
            (size_t)(side) * (side)*4))

/* What was told last. */
struct ph_mutter_cursor {
    struct ph_capture_cursor now; /* data: pixels, when it has a shape */
    uint8_t *pixels;
    bool empty; /* an application hides it */
};

/* Reads what a buffer says. True: *out is another place or shape than before;
 * its data is NULL unless the shape is new. */
bool ph_mutter_cursor_take(struct ph_mutter_cursor *c,
        const struct spa_buffer *buffer, struct ph_capture_cursor *out);
void ph_mutter_cursor_finish(struct ph_mutter_cursor *c);
