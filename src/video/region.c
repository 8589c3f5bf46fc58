/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "video/region.h"

#include <string.h>

#include "common/macros.h"

/* Edges instead of sizes, wide enough for sums. */
struct box {
    uint32_t x0, y0, x1, y1;
};

static struct box to_box(struct ph_rect r)
{
    return (struct box){
            r.x, r.y, (uint32_t)r.x + r.width, (uint32_t)r.y + r.height};
}

static struct ph_rect to_rect(struct box b)
{
    return (struct ph_rect){(uint16_t)b.x0, (uint16_t)b.y0,
            (uint16_t)(b.x1 - b.x0), (uint16_t)(b.y1 - b.y0)};
}

static uint64_t area(struct box b)
{
    return (uint64_t)(b.x1 - b.x0) * (b.y1 - b.y0);
}

static bool overlap(struct box a, struct box b)
{
    return a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1;
}

static bool contains(struct box a, struct box b)
{
    return a.x0 <= b.x0 && a.y0 <= b.y0 && a.x1 >= b.x1 && a.y1 >= b.y1;
}

static struct box hull(struct box a, struct box b)
{
    return (struct box){PH_MIN(a.x0, b.x0), PH_MIN(a.y0, b.y0),
            PH_MAX(a.x1, b.x1), PH_MAX(a.y1, b.y1)};
}

static struct box take(struct ph_region *region, uint16_t i)
{
    struct box b = to_box(region->rects[i]);
    region->rects[i] = region->rects[--region->count];
    return b;
}

/* The rectangle that grows least when it is joined with b. */
static uint16_t cheapest(const struct ph_region *region, struct box b)
{
    uint16_t best = 0;
    uint64_t best_cost = UINT64_MAX;
    for (uint16_t i = 0; i < region->count; i++) {
        struct box r = to_box(region->rects[i]);
        uint64_t cost = area(hull(r, b)) - area(r);
        if (cost < best_cost) {
            best_cost = cost;
            best = i;
        }
    }
    return best;
}

static void add_box(struct ph_region *region, struct box b);

/* Adds what of b lies outside r, which it overlaps: up to four pieces. */
static void add_outside(struct ph_region *region, struct box b, struct box r)
{
    struct box above = {b.x0, b.y0, b.x1, r.y0};
    struct box below = {b.x0, r.y1, b.x1, b.y1};
    uint32_t y0 = PH_MAX(b.y0, r.y0);
    uint32_t y1 = PH_MIN(b.y1, r.y1);
    struct box left = {b.x0, y0, r.x0, y1};
    struct box right = {r.x1, y0, b.x1, y1};
    if (b.y0 < r.y0) {
        add_box(region, above);
    }
    if (b.y1 > r.y1) {
        add_box(region, below);
    }
    if (b.x0 < r.x0) {
        add_box(region, left);
    }
    if (b.x1 > r.x1) {
        add_box(region, right);
    }
}

/* Ends: while there is room a box is cut into smaller ones that overlap less;
 * when there is little, each step removes a rectangle. */
static void add_box(struct ph_region *region, struct box b)
{
    enum {
        SPARE = 8
    };
    for (uint16_t i = 0; i < region->count; i++) {
        struct box r = to_box(region->rects[i]);
        if (!overlap(r, b)) {
            continue;
        }
        if (contains(r, b)) {
            return;
        }
        bool join = area(hull(r, b)) <= area(r) + area(b) ||
                region->count + SPARE > PH_REGION_MAX;
        if (join) {
            add_box(region, hull(take(region, i), b));
        } else {
            add_outside(region, b, r);
        }
        return;
    }
    if (region->count == PH_REGION_MAX) {
        uint16_t i = cheapest(region, b);
        add_box(region, hull(take(region, i), b));
        return;
    }
    region->rects[region->count++] = to_rect(b);
}

void ph_region_clear(struct ph_region *region)
{
    region->count = 0;
}

void ph_region_set(struct ph_region *region, uint16_t width, uint16_t height)
{
    region->count = 0;
    ph_region_add(region, (struct ph_rect){0, 0, width, height});
}

void ph_region_add(struct ph_region *region, struct ph_rect rect)
{
    if (rect.width && rect.height) {
        add_box(region, to_box(rect));
    }
}

void ph_region_union(struct ph_region *region, const struct ph_region *other)
{
    for (uint16_t i = 0; i < other->count; i++) {
        ph_region_add(region, other->rects[i]);
    }
}

void ph_region_align(struct ph_region *region, uint16_t width, uint16_t height)
{
    struct ph_region aligned = {.count = 0};
    for (uint16_t i = 0; i < region->count; i++) {
        struct box b = to_box(region->rects[i]);
        b.x0 &= ~1u;
        b.y0 &= ~1u;
        b.x1 = PH_MIN((b.x1 + 1) & ~1u, width);
        b.y1 = PH_MIN((b.y1 + 1) & ~1u, height);
        if (b.x0 < b.x1 && b.y0 < b.y1) {
            add_box(&aligned, b);
        }
    }
    *region = aligned;
}

bool ph_region_is_empty(const struct ph_region *region)
{
    return region->count == 0;
}

uint64_t ph_region_pixels(const struct ph_region *region)
{
    uint64_t sum = 0;
    for (uint16_t i = 0; i < region->count; i++) {
        sum += area(to_box(region->rects[i]));
    }
    return sum;
}
