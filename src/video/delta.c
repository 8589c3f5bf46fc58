/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "video/delta.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/macros.h"
#include "video/delta_private.h"

enum {
    /* Where less changed, tiles cost less than a search. */
    MIN_PIXELS = 64 * 64,
};

static struct ph_delta_scratch *create_scratch(uint32_t width, uint32_t height)
{
    struct ph_delta_scratch *s = ph_xcalloc(1, sizeof(*s));
    s->columns = (width + PH_DELTA_CELL - 1) / PH_DELTA_CELL;
    s->rows = (height + PH_DELTA_CELL - 1) / PH_DELTA_CELL;
    s->worth = ph_xmalloc((size_t)s->columns * s->rows);
    s->sums = ph_xmalloc(s->columns * sizeof(*s->sums));
    return s;
}

struct ph_delta *ph_delta_create(uint32_t width, uint32_t height)
{
    struct ph_delta *d = ph_xcalloc(1, sizeof(*d));
    uint8_t *luma = malloc((size_t)width * height / 2 * 3);
    if (!luma) {
        free(d);
        return NULL;
    }
    d->mirror = (struct ph_nv12){{luma, luma + (size_t)width * height},
            {width, width}, width, height};
    d->scratch = create_scratch(width, height);
    return d;
}

void ph_delta_destroy(struct ph_delta *d)
{
    if (d) {
        free(d->mirror.plane[0]);
        free(d->scratch->worth);
        free(d->scratch->sums);
        free(d->scratch);
        free(d);
    }
}

/* The rows of a tile in one plane of the mirror or of the new picture. */
static size_t copy_plane(const struct ph_tile *t, int plane, uint8_t *to,
        size_t to_stride, const uint8_t *from, size_t from_stride)
{
    uint32_t rows = (uint32_t)t->rect.height >> plane;
    for (uint32_t y = 0; y < rows; y++) {
        memcpy(to + y * to_stride, from + y * from_stride, t->rect.width);
    }
    return (size_t)rows * t->rect.width;
}

static bool has_plane(const struct ph_tile *t, int plane)
{
    return t->planes & (plane ? PH_HXFR_CHROMA : PH_HXFR_LUMA);
}

static size_t place_of(
        const struct ph_nv12 *p, const struct ph_tile *t, int plane)
{
    return (size_t)(t->rect.y >> plane) * p->stride[plane] + t->rect.x;
}

/* Draws the tiles into the mirror. */
static void take_tiles(struct ph_delta *d, const struct ph_nv12 *now)
{
    const struct ph_nv12 *m = &d->mirror;
    d->bytes = 0;
    for (uint16_t i = 0; i < d->tile_count; i++) {
        const struct ph_tile *t = &d->tiles[i];
        for (int plane = 0; plane < 2; plane++) {
            if (has_plane(t, plane)) {
                d->bytes += copy_plane(t, plane,
                        m->plane[plane] + place_of(m, t, plane),
                        m->stride[plane],
                        now->plane[plane] + place_of(now, t, plane),
                        now->stride[plane]);
            }
        }
    }
}

void ph_delta_gather(const struct ph_delta *d, uint8_t *out)
{
    const struct ph_nv12 *m = &d->mirror;
    for (uint16_t i = 0; i < d->tile_count; i++) {
        const struct ph_tile *t = &d->tiles[i];
        for (int plane = 0; plane < 2; plane++) {
            if (has_plane(t, plane)) {
                out += copy_plane(t, plane, out, t->rect.width,
                        m->plane[plane] + place_of(m, t, plane),
                        m->stride[plane]);
            }
        }
    }
}

uint64_t ph_delta_sum(const struct ph_nv12 *p)
{
    uint64_t sum =
            ph_hxfr_sum(0, p->plane[0], p->stride[0], p->width, p->height);
    return ph_hxfr_sum(sum, p->plane[1], p->stride[1], p->width, p->height / 2);
}

static struct ph_rect box_of(const struct ph_region *region)
{
    uint32_t x0 = UINT16_MAX;
    uint32_t y0 = UINT16_MAX;
    uint32_t x1 = 0;
    uint32_t y1 = 0;
    for (uint16_t i = 0; i < region->count; i++) {
        const struct ph_rect *r = &region->rects[i];
        x0 = PH_MIN(x0, r->x);
        y0 = PH_MIN(y0, r->y);
        x1 = PH_MAX(x1, (uint32_t)r->x + r->width);
        y1 = PH_MAX(y1, (uint32_t)r->y + r->height);
    }
    return (struct ph_rect){(uint16_t)x0, (uint16_t)y0, (uint16_t)(x1 - x0),
            (uint16_t)(y1 - y0)};
}

/* Makes a move by that offset in the mirror, of more than `least` pixels. Where
 * it went has to be compared as well. */
static bool take_move(struct ph_delta *d, const struct ph_nv12 *now,
        struct ph_rect box, const struct ph_delta_offset *offset,
        uint64_t least, struct ph_region *region)
{
    struct ph_move *move = &d->moves[d->move_count];
    if (!ph_scroll_area(d->scratch, &d->mirror, now, box, offset, move) ||
            (uint64_t)move->from.width * move->from.height <= least) {
        return false;
    }
    ph_moves_apply(&d->mirror, move);
    ph_region_add(region, ph_hxfr_move_target(move));
    d->move_count++;
    return true;
}

/* What is scrolled goes on by the same offset as a rule: if that explains most
 * of what changed, no other is looked for. */
static void find_moves(
        struct ph_delta *d, const struct ph_nv12 *now, struct ph_region *region)
{
    static_assert((int)PH_DELTA_CANDIDATES <= (int)PH_DELTA_MAX_MOVES, "");
    struct ph_delta_offset offsets[PH_DELTA_CANDIDATES];
    struct ph_delta_offset *last = &d->scratch->last;
    uint64_t changed = ph_region_pixels(region);
    if (changed < MIN_PIXELS) {
        return;
    }
    struct ph_rect box = box_of(region);
    if (last->votes && take_move(d, now, box, last, changed / 2, region)) {
        return;
    }
    last->votes = 0;
    size_t count = ph_scroll_guess(
            d->scratch, &d->mirror, now, box, offsets, PH_LEN(offsets));
    for (size_t i = 0; i < count; i++) {
        if (take_move(d, now, box, &offsets[i], 0, region) && !last->votes) {
            *last = offsets[i];
        }
    }
}

/* Everything in the region, without looking closer. */
static void add_all(struct ph_delta *d, struct ph_region *region)
{
    ph_region_align(
            region, (uint16_t)d->mirror.width, (uint16_t)d->mirror.height);
    d->tile_count = 0;
    for (uint16_t i = 0; i < region->count; i++) {
        d->tiles[d->tile_count++] =
                (struct ph_tile){region->rects[i], PH_HXFR_ALL_PLANES};
    }
}

void ph_delta_update(struct ph_delta *d, const struct ph_nv12 *now,
        const struct ph_rect *rects, size_t count, bool whole)
{
    struct ph_region region = {.count = 0};
    size_t most = (size_t)now->width * now->height / 2 * 3;
    bool ok = true;
    d->move_count = 0;
    d->tile_count = 0;
    if (whole || !d->valid) {
        ph_region_set(&region, (uint16_t)now->width, (uint16_t)now->height);
        add_all(d, &region);
    } else {
        for (size_t i = 0; i < count; i++) {
            ph_region_add(&region, rects[i]);
        }
        find_moves(d, now, &region);
        for (uint16_t i = 0; i < region.count && ok; i++) {
            ok = ph_delta_add_tiles(d, now, region.rects[i]);
        }
        if (!ok) {
            add_all(d, &region);
        }
    }
    take_tiles(d, now);
    if (d->bytes > most) { /* tiles at both sides of a line share chroma */
        ph_region_set(&region, (uint16_t)now->width, (uint16_t)now->height);
        add_all(d, &region);
        d->bytes = most;
    }
    d->valid = true;
}
