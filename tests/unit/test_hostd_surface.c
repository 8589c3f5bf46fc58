/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Surfaces and buffers: what a guest's pixels become, and what they cost. */
#include "hostd/surface.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/macros.h"
#include "hostd/buffer.h"
#include "hostd/colour.h"

#include "check.h"

static struct ph_budget budget = {.limit = 64 << 20};

static void test_budget(void)
{
    struct ph_budget b = {.limit = 1000};
    CHECK(ph_budget_take(&b, 600));
    CHECK(!ph_budget_take(&b, 401));
    CHECK(ph_budget_take(&b, 400));
    CHECK(!ph_budget_take(&b, 1));
    CHECK(!ph_budget_take(&b, SIZE_MAX));
    ph_budget_give(&b, 1000);
    CHECK_EQ(b.used, 0);
}

static void test_buffer(void)
{
    struct ph_budget b = {.limit = 3000};
    struct ph_buffer buf = {.budget = &b};
    CHECK(ph_buffer_reserve(&buf, 1000));
    memset(buf.data, 7, 1000);
    buf.len = 1000;
    CHECK(ph_buffer_reserve(&buf, 1500)); /* doubled it would be too much */
    CHECK(buf.cap >= 2500 && buf.cap == b.used);
    CHECK(!ph_buffer_reserve(&buf, 2001));
    CHECK_EQ(buf.data[999], 7);
    ph_buffer_finish(&buf);
    CHECK_EQ(b.used, 0);
}

static struct ph_surface surface_of(
        uint32_t format, uint32_t width, uint32_t height)
{
    struct ph_hxfr_surface info = {
            .width = width, .height = height, .format = format};
    struct ph_surface s;
    CHECK(ph_surface_init(&s, &budget, &info));
    return s;
}

static uint8_t luma(const struct ph_surface *s, uint32_t x, uint32_t y)
{
    return s->picture.plane[0][(size_t)y * s->picture.stride[0] + x];
}

static uint8_t chroma(const struct ph_surface *s, uint32_t x, uint32_t y)
{
    return s->picture.plane[1][(size_t)y * s->picture.stride[1] + x];
}

static bool same_pictures(
        const struct ph_surface *a, const struct ph_surface *b)
{
    bool same = true;
    for (uint32_t y = 0; y < a->picture.height; y++) {
        for (uint32_t x = 0; x < a->picture.width; x++) {
            same = same && luma(a, x, y) == luma(b, x, y) &&
                    chroma(a, x, y / 2) == chroma(b, x, y / 2);
        }
    }
    return same;
}

static uint8_t noise(size_t i)
{
    return (uint8_t)((uint32_t)i * 2654435761u >> 24);
}

/* A request for a whole picture, with rows padded by 12 bytes. */
static struct ph_hxfr_frame_request request_for(
        const struct ph_surface *s, uint8_t **pixels)
{
    struct ph_hxfr_frame_request q = {.width = s->info.width,
            .height = s->info.height,
            .format = s->info.format};
    q.stride =
            12 + (q.format == PH_HXFR_NV12 ? (q.width + 1) & ~1u : q.width * 4);
    CHECK(ph_hxfr_layout(q.format, q.width, q.height, q.stride, &q.layout));
    *pixels = malloc(q.layout.size);
    for (size_t i = 0; i < q.layout.size; i++) {
        (*pixels)[i] = noise(i);
    }
    return q;
}

/* The picture of a surface of odd size has even sides, its last column and
 * row twice; what a padded row has behind its end is not in it. */
static void check_edges(uint32_t format, uint32_t width, uint32_t height)
{
    struct ph_surface s = surface_of(format, width, height);
    uint8_t *pixels = NULL;
    struct ph_hxfr_frame_request q = request_for(&s, &pixels);
    ph_surface_draw(&s, &q, pixels);
    uint32_t w = s.picture.width;
    uint32_t h = s.picture.height;
    CHECK_EQ(w, (width + 1) & ~1u);
    CHECK_EQ(h, (height + 1) & ~1u);
    for (uint32_t y = 0; y < height; y++) {
        CHECK_EQ(luma(&s, w - 1, y), luma(&s, width - 1, y));
    }
    for (uint32_t x = 0; x < w; x++) {
        CHECK_EQ(luma(&s, x, h - 1), luma(&s, x, height - 1));
    }
    if (format == PH_HXFR_NV12) {
        CHECK_EQ(luma(&s, width - 1, height - 1),
                noise((size_t)q.stride * (height - 1) + width - 1));
        CHECK_EQ(chroma(&s, 1, 0), noise(q.layout.offset[1] + 1));
    }
    free(pixels);
    ph_surface_finish(&s);
}

static void test_edges(void)
{
    static const uint32_t formats[] = {
            PH_HXFR_NV12, PH_HXFR_BGRA, PH_HXFR_RGBA};
    static const uint32_t sizes[][2] = {
            {1, 1}, {33, 7}, {64, 3}, {63, 64}, {2, 2}, {1366, 5}, {128, 65}};
    for (size_t f = 0; f < PH_LEN(formats); f++) {
        for (size_t i = 0; i < PH_LEN(sizes); i++) {
            check_edges(formats[f], sizes[i][0], sizes[i][1]);
        }
    }
}

/* Red and blue must not be swapped, in either format. */
static void test_formats(void)
{
    static const uint8_t red_bgra[] = {0, 0, 255, 0};
    static const uint8_t red_rgba[] = {255, 0, 0, 77};
    for (int i = 0; i < 2; i++) {
        struct ph_surface s = surface_of(i ? PH_HXFR_RGBA : PH_HXFR_BGRA, 8, 8);
        struct ph_hxfr_frame_request q = {
                .width = 8, .height = 8, .format = s.info.format, .stride = 32};
        uint8_t pixels[8 * 8 * 4];
        for (size_t p = 0; p < sizeof(pixels); p += 4) {
            memcpy(pixels + p, i ? red_rgba : red_bgra, 4);
        }
        ph_surface_draw(&s, &q, pixels);
        CHECK(abs(luma(&s, 3, 3) - 82) <= 2);
        CHECK(abs(chroma(&s, 0, 0) - 90) <= 2);
        CHECK(abs(chroma(&s, 1, 0) - 240) <= 2);
        ph_surface_finish(&s);
    }
}

/* Copies a rectangle of a picture as TILES carries it. */
static size_t gather(const struct ph_surface *s, const uint8_t *pixels,
        uint32_t stride, size_t offset1, struct ph_rect r, uint8_t *out)
{
    size_t n = 0;
    bool nv12 = s->info.format == PH_HXFR_NV12;
    size_t bpp = nv12 ? 1 : 4;
    for (uint32_t y = r.y; y < (uint32_t)r.y + r.height; y++) {
        memcpy(out + n, pixels + (size_t)y * stride + r.x * bpp, r.width * bpp);
        n += r.width * bpp;
    }
    for (uint32_t y = r.y / 2; nv12 && y < (r.y + r.height) / 2u; y++) {
        memcpy(out + n, pixels + offset1 + (size_t)y * stride + r.x, r.width);
        n += r.width;
    }
    return n;
}

/* The same picture in one piece and in tiles is the same, to the byte; every
 * tile is parsed as the wire has it. */
static void check_tiles(uint32_t format, uint32_t width, uint32_t height)
{
    struct ph_surface whole = surface_of(format, width, height);
    struct ph_surface tiled = surface_of(format, width, height);
    uint8_t *pixels = NULL;
    struct ph_hxfr_frame_request q = request_for(&whole, &pixels);
    ph_surface_draw(&whole, &q, pixels);
    uint8_t *payload = malloc(PH_HXFR_MAX_CONTROL + q.layout.size);
    for (uint32_t y = 0; y < height; y += 16) {
        for (uint32_t x = 0; x < width; x += 22) {
            struct ph_rect r = {(uint16_t)x, (uint16_t)y,
                    (uint16_t)PH_MIN(22, width - x),
                    (uint16_t)PH_MIN(16, height - y)};
            struct ph_hxfr_frame f = {.rect_count = 1};
            size_t size = ph_hxfr_rect_size(&r, format);
            uint8_t message[PH_HXFR_HEADER_SIZE + 64];
            struct ph_writer w = ph_writer(message, sizeof(message));
            ph_hxfr_write_frame(&w, PH_HXFR_TILES, 1, &f, &r, size);
            size_t control = w.len - PH_HXFR_HEADER_SIZE;
            memcpy(payload, message + PH_HXFR_HEADER_SIZE, control);
            CHECK_EQ(gather(&tiled, pixels, q.stride, q.layout.offset[1], r,
                             payload + control),
                    size);
            CHECK(ph_hxfr_parse_frame(PH_HXFR_TILES, payload, control,
                    (uint32_t)(control + size), &tiled.info, &f));
            ph_surface_patch(&tiled, &f, payload + control);
        }
    }
    CHECK(same_pictures(&whole, &tiled));
    free(payload);
    free(pixels);
    ph_surface_finish(&whole);
    ph_surface_finish(&tiled);
}

static void test_tiles(void)
{
    check_tiles(PH_HXFR_NV12, 66, 50);
    check_tiles(PH_HXFR_BGRA, 66, 50);
    check_tiles(PH_HXFR_BGRA, 67, 51);
    check_tiles(PH_HXFR_RGBA, 64, 33);
    check_tiles(PH_HXFR_RGBA, 1, 1);
}

static void test_slots(void)
{
    struct ph_hxfr_surface info = {
            .width = 322, .height = 182, .format = PH_HXFR_NV12};
    struct ph_hxfr_slots parsed;
    uint8_t message[64];
    struct ph_surface s;
    if (!ph_memfile_supported()) {
        CHECK(!ph_surface_init_shared(&s, &budget, &info, 3));
        return;
    }
    CHECK(ph_surface_init_shared(&s, &budget, &info, 3));
    CHECK_EQ(budget.used, 3 * s.slots.slot_size);
    struct ph_writer w = ph_writer(message, sizeof(message));
    ph_hxfr_write_slots(&w, 1, &s.slots);
    CHECK(ph_hxfr_parse_slots(message + PH_HXFR_HEADER_SIZE,
            w.len - PH_HXFR_HEADER_SIZE, &info, &parsed));

    /* What the guest draws into a slot is what is encoded, and the size of
     * the file can be changed by nobody. */
    size_t size = (size_t)s.slots.slot_size * 3;
    uint8_t *guest =
            mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, s.fd, 0);
    if (CHECK(guest != MAP_FAILED)) {
        guest[2 * s.slots.slot_size + s.slots.stride[0] * 5 + 7] = 99;
        guest[2 * s.slots.slot_size + s.slots.offset[1] + 1] = 98;
        ph_surface_use_slot(&s, 2);
        CHECK_EQ(luma(&s, 7, 5), 99);
        CHECK_EQ(chroma(&s, 1, 0), 98);
        CHECK(ftruncate(s.fd, 0) < 0);
        CHECK(ftruncate(s.fd, (off_t)size * 2) < 0);
        munmap(guest, size);
    }
    ph_surface_finish(&s);
    CHECK_EQ(budget.used, 0);
}

static void test_limit(void)
{
    struct ph_budget small = {.limit = 100000};
    struct ph_hxfr_surface info = {
            .width = 320, .height = 240, .format = PH_HXFR_NV12};
    struct ph_surface s;
    CHECK(!ph_surface_init(&s, &small, &info));
    CHECK(!ph_surface_init_shared(&s, &small, &info, 3));
    CHECK_EQ(small.used, 0);
}

static void test_colour(void)
{
    struct ph_hxfr_colour said = {1, 1, 1, true};
    struct ph_hxfr_colour c = ph_colour_complete(PH_HXFR_NV12, &said);
    CHECK_MEM(&c, &said, sizeof(c));
    c = ph_colour_complete(PH_HXFR_BGRA, &said); /* we convert: BT.601 */
    CHECK(c.matrix == 6 && c.primaries == 1 && !c.full_range);
    for (int v = 0; v < 256; v++) {
        said = (struct ph_hxfr_colour){
                (uint8_t)v, (uint8_t)v, (uint8_t)v, false};
        c = ph_colour_complete(PH_HXFR_NV12, &said);
        CHECK(c.matrix > 0 && c.matrix != 2 && c.matrix <= 10);
        CHECK(c.primaries > 0 && c.primaries != 2 && c.primaries <= 12);
        CHECK(c.transfer > 0 && c.transfer != 2 && c.transfer <= 18);
    }
    c = ph_colour_v1(PH_HXFR_NV12, 576);
    CHECK(c.matrix == 6 && c.primaries == 6 && c.transfer == 6);
    c = ph_colour_v1(PH_HXFR_NV12, 720);
    CHECK(c.matrix == 1 && c.primaries == 1 && c.transfer == 1);
    c = ph_colour_v1(PH_HXFR_RGBA, 720);
    CHECK(c.matrix == 6 && c.primaries == 1 && c.transfer == 13);
}

int main(void)
{
    test_budget();
    test_buffer();
    test_edges();
    test_formats();
    test_tiles();
    test_slots();
    test_limit();
    test_colour();
    CHECK_EQ(budget.used, 0);
    return CHECK_DONE();
}
