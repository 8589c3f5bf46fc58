/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "video/region.h"

#include "bitmap.h"

static struct bitmap map;

static void test_basics(void)
{
    struct ph_region r = {.count = 0};
    CHECK(ph_region_is_empty(&r));
    ph_region_add(&r, (struct ph_rect){5, 5, 0, 9});
    ph_region_add(&r, (struct ph_rect){5, 5, 9, 0});
    CHECK(ph_region_is_empty(&r));
    ph_region_set(&r, 65534, 65534);
    CHECK_EQ(r.count, 1);
    CHECK_EQ(ph_region_pixels(&r), 65534ull * 65534);
    ph_region_add(&r, (struct ph_rect){1, 1, 100, 100});
    CHECK_EQ(r.count, 1);
    ph_region_clear(&r);
    CHECK(ph_region_is_empty(&r));
}

/* Neighbours that make a whole join; a cross stays exact. */
static void test_shapes(void)
{
    struct ph_region r = {.count = 0};
    ph_region_add(&r, (struct ph_rect){0, 0, 300, 10});
    ph_region_add(&r, (struct ph_rect){0, 0, 10, 200});
    CHECK_EQ(ph_region_pixels(&r), 300 * 10 + 190 * 10);
    ph_region_clear(&r);
    ph_region_add(&r, (struct ph_rect){0, 0, 20, 10});
    ph_region_add(&r, (struct ph_rect){10, 0, 20, 10});
    CHECK_EQ(r.count, 1);
    CHECK_EQ(r.rects[0].width, 30);
}

static void test_align(void)
{
    struct ph_region r = {.count = 0};
    ph_region_add(&r, (struct ph_rect){3, 5, 1, 1});
    ph_region_add(&r, (struct ph_rect){4, 5, 1, 1});
    ph_region_add(&r, (struct ph_rect){99, 49, 1, 1});
    ph_region_align(&r, 100, 50);
    CHECK_EQ(ph_region_pixels(&r), 4 + 4 + 4);
    for (uint16_t i = 0; i < r.count; i++) {
        CHECK_EQ((r.rects[i].x | r.rects[i].y | r.rects[i].width |
                         r.rects[i].height) &
                        1,
                0);
    }
}

/* Whatever is added, nothing is lost and nothing overlaps. */
static void test_random(void)
{
    for (int round = 0; round < 300; round++) {
        struct ph_region r = {.count = 0};
        struct ph_region other = {.count = 0};
        memset(&map, 0, sizeof(map));
        uint32_t n = 1 + random_below(200);
        uint32_t side = 1 + random_below(round % 2 ? 8 : 120);
        for (uint32_t i = 0; i < n; i++) {
            struct ph_rect rect = random_rect(side);
            ph_region_add(i % 3 ? &r : &other, rect);
            bitmap_add(&map, rect);
        }
        ph_region_union(&r, &other);
        bitmap_check_covered(&map, &r);
        ph_region_align(&r, MAP_W, MAP_H);
        bitmap_check_covered(&map, &r);
    }
}

/* Few rectangles cost at most what they would one by one. */
static void test_frugal(void)
{
    for (int round = 0; round < 200; round++) {
        struct ph_region r = {.count = 0};
        uint64_t most = 0;
        memset(&map, 0, sizeof(map));
        for (uint32_t i = 0; i < 4; i++) {
            struct ph_rect rect = random_rect(60);
            ph_region_add(&r, rect);
            bitmap_add(&map, rect);
            most += (uint64_t)rect.width * rect.height;
        }
        CHECK(bitmap_check_covered(&map, &r) <= most);
    }
}

int main(void)
{
    test_basics();
    test_shapes();
    test_align();
    test_random();
    test_frugal();
    return CHECK_DONE();
}
