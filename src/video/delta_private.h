/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside of a delta: what its files share. */
#pragma once

#include "video/delta.h"
#include "video/region.h"

enum {
    PH_DELTA_CELL = 16, /* pixels a side */
    PH_DELTA_TABLE = 1 << 15,
    PH_DELTA_OFFSETS = 256,
    PH_DELTA_CANDIDATES = 3,
};

/* A place in the older picture, by what is there. */
struct ph_delta_place {
    uint32_t hash; /* 0: none */
    uint16_t x;
    uint16_t y; /* UINT16_MAX: there is more than one */
};

struct ph_delta_offset {
    int32_t dx;
    int32_t dy;
    uint32_t votes;
};

struct ph_delta_scratch {
    struct ph_delta_place places[PH_DELTA_TABLE];
    struct ph_delta_offset offsets[PH_DELTA_OFFSETS];
    struct ph_delta_offset last; /* of the newest move; votes 0: none */
    uint32_t columns; /* cells */
    uint32_t rows;
    int8_t *worth; /* columns * rows */
    int32_t *sums; /* columns */
};

/* scroll.c: offsets by which something inside the box seems to have moved, the
 * best first. Returns how many. */
size_t ph_scroll_guess(struct ph_delta_scratch *scratch,
        const struct ph_nv12 *before, const struct ph_nv12 *now,
        struct ph_rect box, struct ph_delta_offset *out, size_t most);

/* scroll_area.c: the area of the box that is best taken from `before` at that
 * offset. False: none that is worth it. */
bool ph_scroll_area(struct ph_delta_scratch *scratch,
        const struct ph_nv12 *before, const struct ph_nv12 *now,
        struct ph_rect box, const struct ph_delta_offset *offset,
        struct ph_move *out);

/* delta_tiles.c: adds the tiles of the rectangle in which the planes differ.
 * False: they are too many. */
bool ph_delta_add_tiles(
        struct ph_delta *delta, const struct ph_nv12 *now, struct ph_rect rect);
