/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A region by brute force, and numbers at random: the same each run. */
#pragma once

#include <stdint.h>
#include <string.h>

#include "common/macros.h"
#include "video/region.h"

#include "check.h"

enum {
    MAP_W = 320,
    MAP_H = 240
};

struct bitmap {
    uint8_t px[MAP_H][MAP_W];
};

static inline uint32_t random_below(uint32_t limit)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % limit;
}

static inline struct ph_rect random_rect(uint32_t max_side)
{
    struct ph_rect r = {.x = (uint16_t)random_below(MAP_W),
            .y = (uint16_t)random_below(MAP_H)};
    uint32_t w = 1 + random_below(max_side);
    uint32_t h = 1 + random_below(max_side);
    r.width = (uint16_t)PH_MIN(w, (uint32_t)MAP_W - r.x);
    r.height = (uint16_t)PH_MIN(h, (uint32_t)MAP_H - r.y);
    return r;
}

static inline void bitmap_add(struct bitmap *map, struct ph_rect r)
{
    for (uint32_t y = r.y; y < (uint32_t)r.y + r.height; y++) {
        memset(&map->px[y][r.x], 1, r.width);
    }
}

/* The region covers every pixel of the map, lies inside it, and no pixel
 * twice. Returns how many pixels it covers. */
static inline uint64_t bitmap_check_covered(
        const struct bitmap *map, const struct ph_region *region)
{
    static struct bitmap seen;
    uint64_t twice = 0;
    uint64_t missing = 0;
    uint64_t covered = 0;
    memset(&seen, 0, sizeof(seen));
    CHECK(region->count <= PH_REGION_MAX);
    for (uint16_t i = 0; i < region->count; i++) {
        struct ph_rect r = region->rects[i];
        if (!CHECK(r.width > 0 && r.height > 0 && r.x + r.width <= MAP_W &&
                    r.y + r.height <= MAP_H)) {
            return 0;
        }
        for (uint32_t y = r.y; y < (uint32_t)r.y + r.height; y++) {
            for (uint32_t x = r.x; x < (uint32_t)r.x + r.width; x++) {
                twice += seen.px[y][x];
                seen.px[y][x] = 1;
            }
        }
    }
    for (uint32_t y = 0; y < MAP_H; y++) {
        for (uint32_t x = 0; x < MAP_W; x++) {
            missing += map->px[y][x] && !seen.px[y][x];
            covered += seen.px[y][x];
        }
    }
    CHECK_EQ(missing, 0);
    CHECK_EQ(twice, 0);
    CHECK_EQ(covered, ph_region_pixels(region));
    return covered;
}
