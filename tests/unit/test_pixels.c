/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "video/pixels.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

/* A picture in NV12 with a guard behind each plane. */
struct picture {
    struct ph_nv12 nv12;
    uint8_t luma[200 * 100 + 16];
    uint8_t chroma[200 * 50 + 16];
};

static void init_picture(struct picture *p, uint32_t width, uint32_t height)
{
    memset(p, 0xee, sizeof(*p));
    p->nv12 = (struct ph_nv12){{p->luma, p->chroma}, {200, 200}, width, height};
}

static uint8_t rgb[100 * 200 * 4];

static struct ph_rgb source(uint32_t width, uint32_t height, uint32_t format)
{
    return (struct ph_rgb){rgb, 200 * 4, width, height, format};
}

static void fill_random(void)
{
    uint32_t s = 7;
    for (size_t i = 0; i < sizeof(rgb); i++) {
        s = s * 1664525u + 1013904223u;
        rgb[i] = (uint8_t)(s >> 16);
    }
}

static bool near(int a, int b, int tolerance)
{
    return abs(a - b) <= tolerance;
}

/* ITU-R BT.601, limited range, of eight flat colours. */
static void check_colour(uint32_t format, int r, int g, int b)
{
    struct picture p;
    init_picture(&p, 16, 16);
    for (size_t i = 0; i < sizeof(rgb); i += 4) {
        rgb[i] = (uint8_t)(format == PH_HXFR_BGRA ? b : r);
        rgb[i + 1] = (uint8_t)g;
        rgb[i + 2] = (uint8_t)(format == PH_HXFR_BGRA ? r : b);
        rgb[i + 3] = (uint8_t)i; /* no matter */
    }
    struct ph_rgb src = source(16, 16, format);
    ph_pixels_to_nv12(&src, &p.nv12, (struct ph_rect){0, 0, 16, 16});
    double y = 16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255;
    double u = 128 + (-37.797 * r - 74.203 * g + 112.0 * b) / 255;
    double v = 128 + (112.0 * r - 93.786 * g - 18.214 * b) / 255;
    CHECK(near(p.luma[0], (int)(y + 0.5), 2));
    CHECK(near(p.luma[15 * 200 + 15], (int)(y + 0.5), 2));
    CHECK(near(p.chroma[0], (int)(u + 0.5), 2));
    CHECK(near(p.chroma[7 * 200 + 15], (int)(v + 0.5), 2));
}

static void test_colours(void)
{
    static const int colours[8][3] = {{0, 0, 0}, {255, 255, 255}, {255, 0, 0},
            {0, 255, 0}, {0, 0, 255}, {255, 255, 0}, {128, 128, 128},
            {32, 80, 128}};
    for (int i = 0; i < 8; i++) {
        const int *c = colours[i];
        check_colour(PH_HXFR_BGRA, c[0], c[1], c[2]);
        check_colour(PH_HXFR_RGBA, c[0], c[1], c[2]);
    }
}

/* Piece by piece gives what the whole gives. libyuv rounds a row's chroma by
 * SIMD and its rest in C: they may differ by one. */
static void test_rects(void)
{
    static const struct ph_rect rects[] = {{0, 0, 34, 20}, {34, 0, 66, 20},
            {0, 20, 100, 2}, {0, 22, 2, 38}, {2, 22, 98, 38}};
    struct picture whole;
    struct picture pieces;
    fill_random();
    init_picture(&whole, 100, 60);
    init_picture(&pieces, 100, 60);
    struct ph_rgb src = source(100, 60, PH_HXFR_BGRA);
    ph_pixels_to_nv12(&src, &whole.nv12, (struct ph_rect){0, 0, 100, 60});
    for (size_t i = 0; i < sizeof(rects) / sizeof(rects[0]); i++) {
        ph_pixels_to_nv12(&src, &pieces.nv12, rects[i]);
    }
    CHECK_MEM(whole.luma, pieces.luma, sizeof(whole.luma));
    for (size_t i = 0; i < sizeof(whole.chroma); i++) {
        if (!near(whole.chroma[i], pieces.chroma[i], 1)) {
            CHECK_EQ(whole.chroma[i], pieces.chroma[i]);
        }
    }
}

/* An odd source into the next even picture; nothing beyond it is written. */
static void test_odd(void)
{
    static const uint32_t sizes[][2] = {
            {1, 1}, {3, 1}, {1, 3}, {33, 17}, {99, 59}, {100, 59}, {99, 60}};
    fill_random();
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        uint32_t w = sizes[i][0];
        uint32_t h = sizes[i][1];
        uint32_t ew = (w + 1) & ~1u;
        uint32_t eh = (h + 1) & ~1u;
        struct picture p;
        init_picture(&p, ew, eh);
        struct ph_rgb src = source(w, h, PH_HXFR_BGRA);
        ph_pixels_to_nv12(&src, &p.nv12,
                (struct ph_rect){0, 0, (uint16_t)ew, (uint16_t)eh});
        const uint8_t *luma = p.luma;
        CHECK_EQ(luma[ew - 1], luma[w - 1]);
        CHECK_EQ(luma[(eh - 1) * 200], luma[(h - 1) * 200]);
        CHECK_EQ(luma[(eh - 1) * 200 + ew - 1], luma[(h - 1) * 200 + w - 1]);
        CHECK_EQ(luma[ew], 0xee);
        CHECK_EQ(luma[eh * 200], 0xee);
        CHECK_EQ(p.chroma[ew], 0xee);
        CHECK_EQ(p.chroma[eh / 2 * 200], 0xee);
    }
}

static void test_copies(void)
{
    struct picture a;
    struct picture b;
    init_picture(&a, 100, 60);
    init_picture(&b, 100, 60);
    fill_random();
    struct ph_rgb src = source(100, 60, PH_HXFR_BGRA);
    ph_pixels_to_nv12(&src, &a.nv12, (struct ph_rect){0, 0, 100, 60});
    ph_pixels_copy_nv12(&a.nv12, &b.nv12, (struct ph_rect){10, 20, 30, 6});
    CHECK_EQ(b.luma[19 * 200 + 10], 0xee);
    CHECK_MEM(a.luma + 20 * 200 + 10, b.luma + 20 * 200 + 10, 30);
    CHECK_MEM(a.luma + 25 * 200 + 10, b.luma + 25 * 200 + 10, 30);
    CHECK_EQ(b.luma[25 * 200 + 40], 0xee);
    CHECK_EQ(b.luma[26 * 200 + 10], 0xee);
    CHECK_MEM(a.chroma + 12 * 200 + 10, b.chroma + 12 * 200 + 10, 30);
    CHECK_EQ(b.chroma[13 * 200 + 10], 0xee);

    static uint8_t out[60 * 400];
    ph_pixels_copy_rgb(&src, out, 400, (struct ph_rect){3, 5, 7, 2});
    CHECK_MEM(out + 5 * 400 + 12, rgb + 5 * 800 + 12, 28);
    CHECK_EQ(out[5 * 400 + 40], 0);

    ph_pixels_clear_nv12(&a.nv12);
    CHECK_EQ(a.luma[59 * 200 + 99], 16);
    CHECK_EQ(a.chroma[29 * 200 + 99], 128);
}

/* For hosts that want 4 bytes a pixel; odd sides as with NV12. */
static void test_bgra(void)
{
    static uint8_t out[16 * 16 * 4];
    fill_random();
    memset(out, 0xee, sizeof(out));
    struct ph_rgb src = source(5, 3, PH_HXFR_BGRA);
    ph_pixels_to_bgra(&src, out, 64, (struct ph_rect){2, 0, 4, 4});
    CHECK_MEM(out + 8, rgb + 8, 12);
    CHECK_MEM(out + 64 + 8, rgb + 800 + 8, 12);
    CHECK_MEM(out + 20, rgb + 16, 4); /* the last column again */
    CHECK_MEM(out + 3 * 64 + 8, rgb + 2 * 800 + 8, 12); /* and row */
    CHECK_EQ(out[7], 0xee);
    CHECK_EQ(out[24], 0xee);
    CHECK_EQ(out[4 * 64 + 8], 0xee);
    src.format = PH_HXFR_RGBA;
    ph_pixels_to_bgra(&src, out, 64, (struct ph_rect){0, 0, 2, 2});
    CHECK_EQ(out[0], rgb[2]);
    CHECK_EQ(out[1], rgb[1]);
    CHECK_EQ(out[2], rgb[0]);
    ph_pixels_to_bgra(&src, out, 64, (struct ph_rect){6, 4, 2, 2});
    CHECK_EQ(out[4 * 64 + 24], 0xee);
}

int main(void)
{
    test_bgra();
    test_colours();
    test_rects();
    test_odd();
    test_copies();
    return CHECK_DONE();
}
