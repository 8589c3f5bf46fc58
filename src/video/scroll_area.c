/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which area was moved by a known offset. Every cell of the box is worth
 * something: one that changed and that the move makes right is a gain, one
 * that had not changed and that it would make wrong a loss. The rectangle of
 * cells that is worth most is moved; then it grows by single rows and columns
 * as long as these match.
 */
#include <string.h>

#include "common/macros.h"
#include "video/delta_private.h"

enum {
    CELL = PH_DELTA_CELL,
    /* One row of so many is looked at: what is wrong in the others is put right
     * by tiles, and the search reads a quarter. */
    ROW_STEP = 4,
    GAIN = 4, /* changed, and right after the move */
    LOSS = -4, /* unchanged, and wrong after it */
    WASTE = -1, /* changed, and wrong all the same */
    MIN_GAIN = 16 * GAIN, /* less is not worth a move */
};

/* Edges, in pixels or cells. */
struct area {
    int32_t x0, y0, x1, y1;
};

struct shift {
    const struct ph_nv12 *before;
    const struct ph_nv12 *now;
    struct ph_delta_offset offset;
    struct area box; /* of the target, so that the source is inside as well */
};

static const uint8_t *luma(const struct ph_nv12 *p, int32_t x, int32_t y)
{
    return p->plane[0] + (size_t)y * p->stride[0] + x;
}

static bool row_moved(const struct shift *s, int32_t x, int32_t y, int32_t len)
{
    return memcmp(luma(s->now, x, y),
                   luma(s->before, x - s->offset.dx, y - s->offset.dy),
                   (size_t)len) == 0;
}

static bool column_moved(
        const struct shift *s, int32_t x, int32_t y0, int32_t y1)
{
    for (int32_t y = y0; y < y1; y++) {
        if (*luma(s->now, x, y) !=
                *luma(s->before, x - s->offset.dx, y - s->offset.dy)) {
            return false;
        }
    }
    return true;
}

/* memcmp of so little is mostly the call. */
static bool equal(const uint8_t *a, const uint8_t *b, size_t len)
{
    uint64_t x[2];
    uint64_t y[2];
    if (len != CELL) {
        return memcmp(a, b, len) == 0;
    }
    memcpy(x, a, sizeof(x));
    memcpy(y, b, sizeof(y));
    return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}

static int8_t worth_of(const struct shift *s, struct area c)
{
    size_t len = (size_t)(c.x1 - c.x0);
    const uint8_t *now = luma(s->now, c.x0, c.y0);
    const uint8_t *here = luma(s->before, c.x0, c.y0);
    const uint8_t *there =
            luma(s->before, c.x0 - s->offset.dx, c.y0 - s->offset.dy);
    bool moved = true;
    bool same = true;
    for (int32_t y = c.y0; y < c.y1 && (moved || same); y += ROW_STEP) {
        moved = moved && equal(now, there, len);
        same = same && equal(now, here, len);
        now += (size_t)s->now->stride[0] * ROW_STEP;
        here += (size_t)s->before->stride[0] * ROW_STEP;
        there += (size_t)s->before->stride[0] * ROW_STEP;
    }
    if (moved) {
        return same ? 0 : GAIN;
    }
    return same ? LOSS : WASTE;
}

/* The cells of the box, which do not lie on any grid but its own. */
static void weigh(struct ph_delta_scratch *d, const struct shift *s)
{
    const struct area *b = &s->box;
    d->columns = (uint32_t)(b->x1 - b->x0 + CELL - 1) / CELL;
    d->rows = (uint32_t)(b->y1 - b->y0 + CELL - 1) / CELL;
    int8_t *worth = d->worth;
    for (int32_t y = b->y0; y < b->y1; y += CELL) {
        for (int32_t x = b->x0; x < b->x1; x += CELL) {
            *worth++ = worth_of(s,
                    (struct area){x, y, PH_MIN(x + CELL, b->x1),
                            PH_MIN(y + CELL, b->y1)});
        }
    }
}

/* The run of columns whose sums are worth most; for each pair of rows. */
static int32_t best_run(
        const int32_t *sums, int32_t count, int32_t *x0, int32_t *x1)
{
    int32_t best = 0;
    int32_t sum = 0;
    int32_t begin = 0;
    for (int32_t x = 0; x < count; x++) {
        sum += sums[x];
        if (sum <= 0) {
            sum = 0;
            begin = x + 1;
        } else if (sum > best) {
            best = sum;
            *x0 = begin;
            *x1 = x + 1;
        }
    }
    return best;
}

static int32_t gain_of(const int8_t *worth, size_t count)
{
    int32_t gain = 0;
    for (size_t i = 0; i < count; i++) {
        gain += worth[i] > 0 ? worth[i] : 0;
    }
    return gain;
}

/* The rectangle of cells that is worth most. It begins in a row that gains
 * something; when all that is left to gain is less than what was found, it
 * was the best. */
static int32_t best_cells(struct ph_delta_scratch *d, struct area *out)
{
    int32_t best = 0;
    int32_t left = gain_of(d->worth, (size_t)d->rows * d->columns);
    for (uint32_t top = 0; top < d->rows && left > best; top++) {
        int32_t gain = gain_of(d->worth + (size_t)top * d->columns, d->columns);
        if (gain == 0) {
            continue;
        }
        memset(d->sums, 0, d->columns * sizeof(*d->sums));
        for (uint32_t y = top; y < d->rows; y++) {
            const int8_t *worth = d->worth + (size_t)y * d->columns;
            for (uint32_t x = 0; x < d->columns; x++) {
                d->sums[x] += worth[x];
            }
            int32_t x0 = 0;
            int32_t x1 = 0;
            int32_t sum = best_run(d->sums, (int32_t)d->columns, &x0, &x1);
            if (sum > best) {
                best = sum;
                *out = (struct area){x0, (int32_t)top, x1, (int32_t)y + 1};
            }
        }
        left -= gain;
    }
    return best;
}

static void grow(const struct shift *s, struct area *a)
{
    const struct area *b = &s->box;
    for (int i = 0; i < CELL; i++) {
        if (a->y0 > b->y0 && row_moved(s, a->x0, a->y0 - 1, a->x1 - a->x0)) {
            a->y0--;
        }
        if (a->y1 < b->y1 && row_moved(s, a->x0, a->y1, a->x1 - a->x0)) {
            a->y1++;
        }
        if (a->x0 > b->x0 && column_moved(s, a->x0 - 1, a->y0, a->y1)) {
            a->x0--;
        }
        if (a->x1 < b->x1 && column_moved(s, a->x1, a->y0, a->y1)) {
            a->x1++;
        }
    }
}

/* Where the source is inside the picture. */
static struct area target_box(
        const struct ph_nv12 *p, struct ph_rect box, int32_t dx, int32_t dy)
{
    int32_t width = (int32_t)p->width;
    int32_t height = (int32_t)p->height;
    return (struct area){PH_MAX(box.x, dx), PH_MAX(box.y, dy),
            PH_MIN(box.x + box.width, width + dx),
            PH_MIN(box.y + box.height, height + dy)};
}

/* Chroma moves along when everything is even. */
static void make_even(struct area *a)
{
    a->x0 = (a->x0 + 1) & ~1;
    a->y0 = (a->y0 + 1) & ~1;
    a->x1 &= ~1;
    a->y1 &= ~1;
}

bool ph_scroll_area(struct ph_delta_scratch *d, const struct ph_nv12 *before,
        const struct ph_nv12 *now, struct ph_rect box,
        const struct ph_delta_offset *offset, struct ph_move *out)
{
    struct area a;
    struct shift s = {before, now, *offset,
            target_box(before, box, offset->dx, offset->dy)};
    if (s.box.x0 >= s.box.x1 || s.box.y0 >= s.box.y1) {
        return false;
    }
    weigh(d, &s);
    if (best_cells(d, &a) < MIN_GAIN) {
        return false;
    }
    a = (struct area){s.box.x0 + a.x0 * CELL, s.box.y0 + a.y0 * CELL,
            PH_MIN(s.box.x0 + a.x1 * CELL, s.box.x1),
            PH_MIN(s.box.y0 + a.y1 * CELL, s.box.y1)};
    grow(&s, &a);
    if (((offset->dx | offset->dy) & 1) == 0) {
        make_even(&a);
    }
    *out = (struct ph_move){
            {(uint16_t)(a.x0 - offset->dx), (uint16_t)(a.y0 - offset->dy),
                    (uint16_t)(a.x1 - a.x0), (uint16_t)(a.y1 - a.y0)},
            (int16_t)offset->dx, (int16_t)offset->dy};
    return true;
}
