/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "video/damage.h"

#include <string.h>

#include "common/macros.h"

enum {
    TILE = PH_DAMAGE_TILE,
    PIXEL = 4,
    /* Runs of tiles this near to each other become one rectangle: few
     * rectangles cost less than the pixels between them. */
    GAP_TILES = 2,
    GAP_ROWS = TILE / 2,
    MAX_COLUMNS = (65536 + TILE - 1) / TILE,
};

/* A band of TILE rows: which of its tiles differ, and the first and last row
 * that does. */
struct band {
    uint8_t dirty[MAX_COLUMNS];
    uint32_t columns;
    uint32_t first_row;
    uint32_t last_row;
    bool any;
};

/* The part of the box that lies in the picture, in edges. */
struct area {
    uint32_t x0, y0, x1, y1;
};

static void compare_tiles(const struct ph_damage_pictures *p,
        const struct area *a, uint32_t y, struct band *band)
{
    const uint8_t *before = p->before + (size_t)y * p->stride;
    const uint8_t *now = p->now + (size_t)y * p->stride;
    for (uint32_t c = 0; c < band->columns; c++) {
        size_t at = ((size_t)a->x0 + (size_t)c * TILE) * PIXEL;
        size_t end = PH_MIN(at + TILE * PIXEL, (size_t)a->x1 * PIXEL);
        if (!band->dirty[c] && memcmp(before + at, now + at, end - at) != 0) {
            band->dirty[c] = 1;
        }
    }
}

static void compare_band(const struct ph_damage_pictures *p,
        const struct area *a, uint32_t top, struct band *band)
{
    uint32_t bottom = PH_MIN(top + TILE, a->y1);
    size_t at = (size_t)a->x0 * PIXEL;
    size_t len = (size_t)(a->x1 - a->x0) * PIXEL;
    band->any = false;
    for (uint32_t y = top; y < bottom; y++) {
        size_t row = (size_t)y * p->stride + at;
        if (memcmp(p->before + row, p->now + row, len) == 0) {
            continue;
        }
        if (!band->any) {
            memset(band->dirty, 0, band->columns);
            band->any = true;
            band->first_row = y;
        }
        band->last_row = y;
        compare_tiles(p, a, y, band);
    }
}

/* Rectangles that end in the newest bands and may still grow downwards. */
struct open_rects {
    struct area items[PH_REGION_MAX];
    uint32_t count;
};

static void close_rect(struct ph_region *out, const struct area *r)
{
    ph_region_add(out,
            (struct ph_rect){(uint16_t)r->x0, (uint16_t)r->y0,
                    (uint16_t)(r->x1 - r->x0), (uint16_t)(r->y1 - r->y0)});
}

static void close_above(
        struct open_rects *open, uint32_t row, struct ph_region *out)
{
    for (uint32_t i = 0; i < open->count;) {
        if (open->items[i].y1 < row) {
            close_rect(out, &open->items[i]);
            open->items[i] = open->items[--open->count];
        } else {
            i++;
        }
    }
}

static void add_run(
        struct open_rects *open, struct area run, struct ph_region *out)
{
    for (uint32_t i = 0; i < open->count; i++) {
        struct area *r = &open->items[i];
        if (r->x0 == run.x0 && r->x1 == run.x1 && r->y1 + GAP_ROWS >= run.y0) {
            r->y1 = run.y1;
            return;
        }
    }
    if (open->count == PH_REGION_MAX) {
        close_rect(out, &open->items[--open->count]);
    }
    open->items[open->count++] = run;
}

static void add_runs(const struct area *a, const struct band *band,
        struct open_rects *open, struct ph_region *out)
{
    for (uint32_t c = 0; c < band->columns;) {
        if (!band->dirty[c]) {
            c++;
            continue;
        }
        uint32_t end = c + 1;
        for (uint32_t n = end; n < band->columns && n <= end + GAP_TILES; n++) {
            if (band->dirty[n]) {
                end = n + 1;
            }
        }
        struct area run = {a->x0 + c * TILE, band->first_row,
                PH_MIN(a->x0 + end * TILE, a->x1), band->last_row + 1};
        add_run(open, run, out);
        c = end;
    }
}

void ph_damage_compare(const struct ph_damage_pictures *p, struct ph_rect box,
        struct ph_region *out)
{
    struct area a = {PH_MIN(box.x, p->width), PH_MIN(box.y, p->height),
            PH_MIN((uint32_t)box.x + box.width, p->width),
            PH_MIN((uint32_t)box.y + box.height, p->height)};
    if (a.x0 >= a.x1) {
        return;
    }
    struct band band = {.columns = (a.x1 - a.x0 + TILE - 1) / TILE};
    struct open_rects open = {.count = 0};
    for (uint32_t y = a.y0; y < a.y1; y += TILE) {
        compare_band(p, &a, y, &band);
        if (band.any) {
            close_above(&open,
                    band.first_row - PH_MIN(band.first_row, GAP_ROWS), out);
            add_runs(&a, &band, &open, out);
        }
    }
    close_above(&open, UINT32_MAX, out);
}
