/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "video/damage.h"

#include <stdlib.h>

#include "bitmap.h"

enum {
    STRIDE = MAP_W * 4 + 64
};

static uint8_t before[STRIDE * MAP_H];
static uint8_t now[STRIDE * MAP_H];
static struct bitmap map;

static const struct ph_damage_pictures pictures = {
        before, now, STRIDE, MAP_W, MAP_H};
static const struct ph_rect everything = {0, 0, 65535, 65535};

static void reset(void)
{
    for (size_t i = 0; i < sizeof(before); i++) {
        before[i] = now[i] = (uint8_t)random_below(256);
    }
    memset(&map, 0, sizeof(map));
}

static void change(uint32_t x, uint32_t y)
{
    now[y * STRIDE + x * 4 + random_below(4)] ^= 1;
    map.px[y][x] = 1;
}

static void test_unchanged(void)
{
    struct ph_region r = {.count = 0};
    reset();
    now[MAP_W * 4] ^= 1; /* the padding of a row is not the picture */
    ph_damage_compare(&pictures, everything, &r);
    CHECK(ph_region_is_empty(&r));
}

static void test_corners(void)
{
    struct ph_region r = {.count = 0};
    reset();
    change(0, 0);
    change(MAP_W - 1, 0);
    change(0, MAP_H - 1);
    change(MAP_W - 1, MAP_H - 1);
    ph_damage_compare(&pictures, everything, &r);
    CHECK_EQ(r.count, 4);
    CHECK(bitmap_check_covered(&map, &r) <= 4 * PH_DAMAGE_TILE);
}

/* Nothing outside the box is looked at. */
static void test_box(void)
{
    struct ph_region r = {.count = 0};
    reset();
    change(10, 10);
    map.px[10][10] = 0;
    change(100, 100);
    ph_damage_compare(&pictures, (struct ph_rect){11, 11, 200, 200}, &r);
    CHECK_EQ(r.count, 1);
    bitmap_check_covered(&map, &r);
    ph_region_clear(&r);
    ph_damage_compare(&pictures, (struct ph_rect){MAP_W, 0, 9, 9}, &r);
    ph_damage_compare(&pictures, (struct ph_rect){0, MAP_H, 9, 9}, &r);
    ph_damage_compare(&pictures, (struct ph_rect){0, 0, 0, 0}, &r);
    CHECK(ph_region_is_empty(&r));
}

static void test_whole(void)
{
    struct ph_region r = {.count = 0};
    reset();
    for (uint32_t y = 0; y < MAP_H; y++) {
        for (uint32_t x = 0; x < MAP_W; x++) {
            change(x, y);
        }
    }
    ph_damage_compare(&pictures, everything, &r);
    CHECK_EQ(r.count, 1);
    CHECK_EQ(bitmap_check_covered(&map, &r), MAP_W * MAP_H);
}

static void test_random(void)
{
    for (int round = 0; round < 200; round++) {
        struct ph_region r = {.count = 0};
        reset();
        uint32_t n = 1 + random_below(round % 4 ? 10 : 3000);
        for (uint32_t i = 0; i < n; i++) {
            change(random_below(MAP_W), random_below(MAP_H));
        }
        ph_damage_compare(&pictures, everything, &r);
        bitmap_check_covered(&map, &r);
    }
}

/* The promise of the frame path: two small changes in opposite corners of a
 * 1080p screen cost less than 2 % of its pixels. */
static void test_opposite_corners(void)
{
    enum {
        W = 1920,
        H = 1080
    };
    uint8_t *a = calloc(W * H, 4);
    uint8_t *b = calloc(W * H, 4);
    struct ph_region r = {.count = 0};
    for (uint32_t y = 0; y < 8; y++) {
        memset(b + ((size_t)y * W + 13) * 4, 255, 32);
        memset(b + ((size_t)(H - 1 - y) * W + W - 21) * 4, 255, 32);
    }
    struct ph_damage_pictures p = {a, b, W * 4, W, H};
    ph_damage_compare(&p, (struct ph_rect){0, 0, W, H}, &r);
    ph_region_align(&r, W, H);
    CHECK(ph_region_pixels(&r) >= 128);
    CHECK(ph_region_pixels(&r) * 50 < W * H);
    free(a);
    free(b);
}

int main(void)
{
    test_unchanged();
    test_corners();
    test_box();
    test_whole();
    test_random();
    test_opposite_corners();
    return CHECK_DONE();
}
