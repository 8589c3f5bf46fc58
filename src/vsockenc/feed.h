/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One host, and what it lacks: keeps for each slot of its link, and for the
 * surface as the host holds it, what is out of date, so that only that is
 * converted and sent; and whether a picture that stands still may become
 * better. One thread at a time; events of the link are the owner's.
 */
#pragma once

#include "link/link.h"
#include "link/refine.h"
#include "video/pixels.h"
#include "video/region.h"

struct ph_feed {
    struct ph_link *link; /* NULL: there is none */
    uint32_t width; /* of the surface */
    uint32_t height;
    struct ph_hxfr_colour colour;
    uint32_t generation; /* of the slots that the regions are about */
    bool valid; /* the host holds the frame sent before */
    bool keyframe; /* the next frame must be one */
    struct ph_refine refine; /* by pts */
    struct ph_region stale[PH_HXFR_MAX_SLOTS];
    struct ph_region unsent;
};

void ph_feed_set_surface(struct ph_feed *feed, uint32_t width, uint32_t height,
        const struct ph_hxfr_colour *colour);

/* What the host holds is not known any more: the next frame is a keyframe and
 * goes whole. */
void ph_feed_reset(struct ph_feed *feed);

/* Pixels that are where they came from: what has to be sent is drawn from
 * there, and the picture, which a frame that is lost needs, only after it was
 * sent. */
struct ph_feed_pixels {
    /* Draws a part of them, of even position and sides. */
    void (*paint)(void *data, const struct ph_nv12 *to, struct ph_rect rect);
    /* Draws the picture. */
    void (*keep)(void *data);
    void *data;
};

/* A slot with the picture in it; pixels: where it is not drawn yet, or NULL.
 * changed: since the picture before it. As ph_link_acquire; to be submitted or
 * released. */
enum ph_link_result ph_feed_draw(struct ph_feed *feed,
        const struct ph_nv12 *picture, const struct ph_feed_pixels *pixels,
        const struct ph_region *changed, struct ph_link_picture *slot);
/* As ph_link_submit, with what the host lacks. */
enum ph_link_result ph_feed_submit(struct ph_feed *feed,
        const struct ph_link_picture *slot, int64_t pts, bool keyframe,
        uint32_t *sequence);
/* As ph_link_submit_resource. The frame after it goes whole. */
enum ph_link_result ph_feed_submit_resource(struct ph_feed *feed,
        const struct ph_link_resource *resource, int64_t pts, bool keyframe,
        uint32_t *sequence);
/* The same picture again, a few bytes, and finer when it has stood still for a
 * while, as pts tells; DOWN: draw and submit it. */
enum ph_link_result ph_feed_repeat(
        struct ph_feed *feed, int64_t pts, bool keyframe, uint32_t *sequence);
