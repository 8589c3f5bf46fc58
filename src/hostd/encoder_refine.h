/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which macroblocks of a picture are coarser than they should be once it
 * stands still, and a picture in which only those differ from what viewers
 * have: an encoder that gets it spends bits on nothing else. Part of an
 * encoder, used on its thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "video/pixels.h"
#include "video/region.h"

/* Sets the macroblocks that a rectangle touches, in a map of one byte each. */
void ph_refine_set(uint8_t *map, uint32_t mbs_wide, uint32_t mbs_high,
        const struct ph_rect *rect, uint8_t value);

struct ph_refine {
    uint8_t *coarse; /* one byte a macroblock */
    uint32_t mbs_wide;
    uint32_t mbs_high;
    struct ph_nv12 blended; /* made when first needed */
};

/* False: out of memory. */
bool ph_refine_init(struct ph_refine *refine, uint32_t width, uint32_t height);
void ph_refine_finish(struct ph_refine *refine);

/* These changed and are encoded as fast as can be; NULL: all. */
void ph_refine_mark(struct ph_refine *refine, const struct ph_region *changed);
/* All are as fine as they get. */
void ph_refine_clear(struct ph_refine *refine);
/* Looks at those that are marked; the number of those that stay it. seen: what
 * viewers have. */
size_t ph_refine_judge(struct ph_refine *refine, const struct ph_nv12 *picture,
        const struct ph_nv12 *seen);
/* The picture where it is coarse, else what is seen. Valid until the next
 * call; NULL: out of memory. */
const struct ph_nv12 *ph_refine_blend(struct ph_refine *refine,
        const struct ph_nv12 *picture, const struct ph_nv12 *seen);
