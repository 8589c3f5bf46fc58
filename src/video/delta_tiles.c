/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tiles in which two planes differ: rows are compared as a whole, and
 * where they differ in tiles. Tiles beside and below each other become one.
 */
#include <string.h>

#include "common/macros.h"
#include "video/delta_private.h"

enum {
    TILE = 16, /* bytes of a row, in either plane */
    BAND = 8, /* rows */
    GAP = 1, /* tiles between two that are joined all the same */
    MAX_TILES = PH_HXFR_MAX_SIDE / TILE,
};

struct area {
    uint32_t x0, y0, x1, y1; /* bytes and rows of the plane */
};

struct diff {
    struct ph_delta *delta;
    const uint8_t *before;
    const uint8_t *now;
    size_t before_stride;
    size_t now_stride;
    struct area area;
    int plane;
    uint16_t first; /* tile of this plane and area */
    uint8_t dirty[MAX_TILES + 1];
};

static bool differ(const struct diff *d, uint32_t y, uint32_t x, uint32_t len)
{
    return memcmp(d->before + y * d->before_stride + x,
                   d->now + y * d->now_stride + x, len) != 0;
}

/* Marks the tiles that differ in the rows; *top and *bottom become the first
 * row that does and the one behind the last. */
static bool compare_band(struct diff *d, uint32_t *top, uint32_t *bottom)
{
    const struct area *a = &d->area;
    uint32_t first = *bottom;
    uint32_t last = 0;
    for (uint32_t y = *top; y < *bottom; y++) {
        if (!differ(d, y, a->x0, a->x1 - a->x0)) {
            continue;
        }
        if (first == *bottom) {
            memset(d->dirty, 0, sizeof(d->dirty));
            first = y;
        }
        last = y;
        for (uint32_t x = a->x0, i = 0; x < a->x1; x += TILE, i++) {
            if (!d->dirty[i]) {
                d->dirty[i] = differ(d, y, x, PH_MIN(TILE, a->x1 - x));
            }
        }
    }
    if (first == *bottom) {
        return false;
    }
    *top = first;
    *bottom = last + 1;
    return true;
}

static struct ph_rect to_rect(const struct diff *d, struct area a)
{
    return (struct ph_rect){(uint16_t)a.x0, (uint16_t)(a.y0 << d->plane),
            (uint16_t)(a.x1 - a.x0), (uint16_t)((a.y1 - a.y0) << d->plane)};
}

/* Joins it with the tile above when that reaches down to it and is as wide. */
static bool add_run(struct diff *d, struct area run)
{
    struct ph_delta *delta = d->delta;
    struct ph_rect r = to_rect(d, run);
    for (uint16_t i = delta->tile_count; i-- > d->first;) {
        struct ph_rect *above = &delta->tiles[i].rect;
        int32_t gap = r.y - (above->y + above->height);
        if (above->x == r.x && above->width == r.width && gap >= 0 &&
                gap <= 2) {
            above->height = (uint16_t)(r.y + r.height - above->y);
            return true;
        }
        if (gap > BAND * 4) {
            break;
        }
    }
    if (delta->tile_count == PH_HXFR_MAX_RECTS) {
        return false;
    }
    delta->tiles[delta->tile_count++] =
            (struct ph_tile){r, d->plane ? PH_HXFR_CHROMA : PH_HXFR_LUMA};
    return true;
}

static bool add_runs(struct diff *d, uint32_t top, uint32_t bottom)
{
    const struct area *a = &d->area;
    uint32_t count = (a->x1 - a->x0 + TILE - 1) / TILE;
    for (uint32_t i = 0; i < count; i++) {
        if (!d->dirty[i]) {
            continue;
        }
        uint32_t end = i + 1;
        for (uint32_t n = end; n < count && n <= end + GAP; n++) {
            end = d->dirty[n] ? n + 1 : end;
        }
        struct area run = {a->x0 + i * TILE, top,
                PH_MIN(a->x0 + end * TILE, a->x1), bottom};
        if (!add_run(d, run)) {
            return false;
        }
        i = end;
    }
    return true;
}

static bool add_plane(struct diff *d)
{
    d->first = d->delta->tile_count;
    for (uint32_t y = d->area.y0; y < d->area.y1; y += BAND) {
        uint32_t top = y;
        uint32_t bottom = PH_MIN(y + BAND, d->area.y1);
        if (compare_band(d, &top, &bottom) && !add_runs(d, top, bottom)) {
            return false;
        }
    }
    return true;
}

bool ph_delta_add_tiles(
        struct ph_delta *delta, const struct ph_nv12 *now, struct ph_rect r)
{
    struct diff d = {.delta = delta};
    for (d.plane = 0; d.plane < 2; d.plane++) {
        const struct ph_nv12 *m = &delta->mirror;
        d.before = m->plane[d.plane];
        d.before_stride = m->stride[d.plane];
        d.now = now->plane[d.plane];
        d.now_stride = now->stride[d.plane];
        d.area = (struct area){r.x, r.y, r.x + r.width, r.y + r.height};
        if (d.plane) { /* all chroma that the rectangle touches */
            d.area = (struct area){r.x & ~1u, r.y / 2,
                    (r.x + r.width + 1u) & ~1u, (r.y + r.height + 1u) / 2};
        }
        if (!add_plane(&d)) {
            return false;
        }
    }
    return true;
}
