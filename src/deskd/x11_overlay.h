/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pointer drawn into a picture, and taken out again before that changes. */
#pragma once

#include "common/macros.h"
#include "deskd/capture.h"

struct ph_x11_overlay {
    struct ph_rect rect; /* where it is drawn; no width: nowhere */
    /* What it covers, without gaps. */
    uint8_t under[PH_CAPTURE_MAX_CURSOR * PH_CAPTURE_MAX_CURSOR * 4];
};

struct ph_x11_canvas {
    uint8_t *pixels;
    uint32_t stride;
    uint16_t width;
    uint16_t height;
    bool rgba; /* else BGRA */
};

/* Both add the place to the damage. */
void ph_x11_overlay_remove(struct ph_x11_overlay *overlay,
        const struct ph_x11_canvas *canvas, struct ph_region *damage);
/* shape: RGBA, premultiplied, of the cursor's size. */
void ph_x11_overlay_draw(struct ph_x11_overlay *overlay,
        const struct ph_x11_canvas *canvas,
        const struct ph_capture_cursor *cursor, const uint8_t *shape,
        struct ph_region *damage);
