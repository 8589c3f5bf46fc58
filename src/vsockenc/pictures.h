/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The pictures that came in last, as NV12 of even sides: copies of our own, so
 * that upstream's buffers go back at once and a frame that was lost on its
 * way can be sent again. What changed from one to the next is found by
 * comparing. One thread draws; drawn ones may be read by any until they are
 * drawn again.
 */
#pragma once

#include <gst/video/video.h>

#include "video/pixels.h"
#include "video/region.h"

#define PH_PICTURES_MAX (PH_HXFR_MAX_WINDOW + 1)

struct ph_pictures {
    uint32_t width; /* even */
    uint32_t height;
    unsigned count;
    int newest; /* -1: none yet */
    struct ph_nv12 items[PH_PICTURES_MAX];
    /* Against the newest; kept for RGB only, YUV is copied whole. */
    struct ph_region stale[PH_PICTURES_MAX];
    uint8_t *memory;
    uint8_t *before; /* the newest as it came, RGB only */
    uint32_t before_stride;
    struct ph_region unkept; /* what `before` lacks of the newest */
};

/* For frames of this kind. False: out of memory. */
bool ph_pictures_init(
        struct ph_pictures *pictures, const GstVideoInfo *info, unsigned count);
void ph_pictures_finish(struct ph_pictures *pictures);

/* The frame becomes the newest, picture `index`. *changed is what differs from
 * the newest before, aligned as 4:2:0 needs it. False: it is not drawn yet but
 * by ph_pictures_keep, with the same frame, before the next is taken. */
bool ph_pictures_take(struct ph_pictures *pictures, unsigned index,
        const GstVideoFrame *frame, struct ph_region *changed);
void ph_pictures_keep(struct ph_pictures *pictures, const GstVideoFrame *frame);

/* Draws a part of a frame that take returned false for somewhere else; even
 * position and sides. */
void ph_pictures_paint(const GstVideoFrame *frame, const struct ph_nv12 *to,
        struct ph_rect rect);
