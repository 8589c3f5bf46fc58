/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Frames for a host that shares no memory and takes moves: what differs from
 * the picture that the host holds, packed where the way asks for it. Inside
 * of a link, its I/O thread.
 */
#pragma once

#include <sys/types.h>

#include "link/flow.h"
#include "link/slots.h"
#include "video/delta.h"

struct ph_link_tiles {
    struct ph_delta *delta; /* NULL: not in use */
    uint8_t *pixels; /* of a frame's tiles */
    uint8_t *packed;
    /* The message made last. */
    const uint8_t *body; /* what follows the head */
    size_t body_size;
    bool moved;
};

/* Begins anew with a surface. False: no memory. */
bool ph_link_tiles_init(
        struct ph_link_tiles *tiles, uint32_t width, uint32_t height);
void ph_link_tiles_finish(struct ph_link_tiles *tiles);

/* What to do with a frame. */
struct ph_link_tiles_frame {
    struct ph_hxfr_frame head; /* sequence, pts, flags */
    struct ph_nv12 picture;
    const struct ph_rect *rects; /* what changed */
    size_t rect_count;
    bool whole;
    bool pack;
    int stage; /* a file for the pixels, -1: none */
    off_t stage_at;
};

/* Writes the head of a TILES message to w and makes body what follows it. */
void ph_link_tiles_write(struct ph_link_tiles *tiles, struct ph_flow *flow,
        struct ph_writer *w, uint16_t session,
        const struct ph_link_tiles_frame *frame);
