/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What finding and converting damage costs on this machine, 1920x1080, one
 * thread: bench_pixels [ROUNDS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/parse.h"
#include "video/damage.h"
#include "video/pixels.h"

enum {
    W = 1920,
    H = 1080,
    STRIDE = W * 4,
};

struct bench {
    uint8_t *before;
    uint8_t *now;
    struct ph_nv12 nv12;
    struct ph_nv12 copy;
    struct ph_region region;
};

static const struct ph_rect whole = {0, 0, W, H};

static void compare(struct bench *b)
{
    struct ph_damage_pictures p = {b->before, b->now, STRIDE, W, H};
    ph_region_clear(&b->region);
    ph_damage_compare(&p, whole, &b->region);
}

static void convert_rect(struct bench *b, struct ph_rect rect)
{
    struct ph_rgb src = {b->now, STRIDE, W, H, PH_HXFR_BGRA};
    ph_pixels_to_nv12(&src, &b->nv12, rect);
}

static void convert(struct bench *b)
{
    convert_rect(b, whole);
}

static void compare_and_convert(struct bench *b)
{
    compare(b);
    ph_region_align(&b->region, W, H);
    for (uint16_t i = 0; i < b->region.count; i++) {
        convert_rect(b, b->region.rects[i]);
    }
}

static void copy_rgb(struct bench *b)
{
    struct ph_rgb src = {b->now, STRIDE, W, H, PH_HXFR_BGRA};
    ph_pixels_copy_rgb(&src, b->before, STRIDE, whole);
}

static void copy_nv12(struct bench *b)
{
    ph_pixels_copy_nv12(&b->nv12, &b->copy, whole);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void measure(struct bench *b, uint32_t rounds, const char *name,
        void (*run)(struct bench *))
{
    int64_t *ns = ph_xcalloc(rounds, sizeof(*ns));
    run(b); /* warm */
    for (uint32_t i = 0; i < rounds; i++) {
        int64_t begin = ph_clock_ns();
        run(b);
        ns[i] = ph_clock_ns() - begin;
    }
    qsort(ns, rounds, sizeof(*ns), by_value);
    printf("%-28s p50 %6.3f  p99 %6.3f ms\n", name,
            (double)ns[rounds / 2] / PH_NS_PER_MS,
            (double)ns[rounds * 99 / 100] / PH_NS_PER_MS);
    free(ns);
}

static struct ph_nv12 new_nv12(void)
{
    uint8_t *data = ph_xcalloc(W * H / 2, 3);
    return (struct ph_nv12){{data, data + (size_t)W * H}, {W, W}, W, H};
}

static void fill(struct bench *b)
{
    uint32_t state = 1;
    for (size_t i = 0; i < (size_t)STRIDE * H; i++) {
        state = state * 1664525u + 1013904223u;
        b->now[i] = (uint8_t)(state >> 24);
    }
    memcpy(b->before, b->now, (size_t)STRIDE * H);
}

int main(int argc, char **argv)
{
    uint32_t rounds = 200;
    if (argc > 2 || (argc == 2 && !ph_parse_u32(argv[1], 1, 100000, &rounds))) {
        fprintf(stderr, "usage: bench_pixels [ROUNDS]\n");
        return 2;
    }
    struct bench b = {
            .before = ph_xcalloc(STRIDE, H),
            .now = ph_xcalloc(STRIDE, H),
            .nv12 = new_nv12(),
            .copy = new_nv12(),
    };
    fill(&b);
    measure(&b, rounds, "compare, unchanged", compare);
    for (uint32_t y = 500; y < 520; y++) { /* a character cell */
        memset(b.now + (size_t)y * STRIDE + 900 * 4, 0, 40);
    }
    measure(&b, rounds, "compare, one character", compare);
    measure(&b, rounds, "  and convert it", compare_and_convert);
    measure(&b, rounds, "convert all", convert);
    measure(&b, rounds, "copy BGRA", copy_rgb);
    measure(&b, rounds, "copy NV12", copy_nv12);
    free(b.before);
    free(b.now);
    free(b.nv12.plane[0]);
    free(b.copy.plane[0]);
    return 0;
}
