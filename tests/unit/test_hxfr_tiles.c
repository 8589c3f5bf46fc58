/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TILES with moves, planes and LZ4 blocks, and CHECKSUM. */
#include "proto/hxfr_ext.h"

#include "golden.h"

static uint8_t out[4096];

static const struct ph_hxfr_surface screen = {
        .width = 1920, .height = 1080, .format = PH_HXFR_NV12};
static const struct ph_hxfr_surface rgb = {
        .width = 1920, .height = 1080, .format = PH_HXFR_BGRA};

/* Writes a frame and parses it. `bytes`: of pixels or of the block. */
static bool passes(const struct ph_hxfr_surface *surface, uint32_t flags,
        const struct ph_move *moves, uint8_t move_count,
        const struct ph_tile *tiles, uint16_t tile_count, size_t bytes)
{
    struct ph_hxfr_frame f = {.sequence = 1,
            .flags = flags,
            .move_count = move_count,
            .rect_count = tile_count};
    struct ph_writer w = ph_writer(out, sizeof(out));
    ph_hxfr_write_tiles(&w, 1, &f, moves, tiles, bytes);
    CHECK(w.ok);
    size_t len = w.len - PH_HXFR_HEADER_SIZE;
    return ph_hxfr_parse_frame(PH_HXFR_TILES, out + PH_HXFR_HEADER_SIZE, len,
            (uint32_t)(len + bytes), surface, &f);
}

static void test_packed(void)
{
    static const struct ph_move moves[] = {
            {{0, 17, 1920, 1063}, 0, -17}, {{100, 200, 64, 32}, -8, 4}};
    static const struct ph_tile tiles[] = {{{0, 1063, 64, 2}, PH_HXFR_LUMA},
            {{2, 1062, 8, 4}, PH_HXFR_CHROMA}};
    struct golden g = golden_read("hxfr-tiles-packed");
    const uint8_t *payload = g.data + PH_HXFR_HEADER_SIZE;
    uint32_t total = (uint32_t)(g.len - PH_HXFR_HEADER_SIZE);
    struct ph_hxfr_frame f;
    size_t control = PH_HXFR_FRAME_HEAD_SIZE + ph_hxfr_frame_control(payload);
    CHECK_EQ(total - control, 15);
    CHECK(ph_hxfr_parse_frame(
            PH_HXFR_TILES, payload, control, total, &screen, &f));
    CHECK_EQ(f.flags, PH_HXFR_FRAME_LZ4 | PH_HXFR_FRAME_PLANES);
    CHECK_EQ(f.bytes, 128 + 16);
    CHECK_EQ(f.move_count, 2);
    CHECK_EQ(f.rect_count, 2);
    CHECK_EQ(ph_hxfr_frame_needs(&f), PH_HXFR_CAP_MOVES | PH_HXFR_CAP_LZ4);
    for (uint8_t i = 0; i < 2; i++) {
        struct ph_move m = ph_hxfr_move(&f, i);
        CHECK_MEM(&m, &moves[i], sizeof(m));
        CHECK_EQ(ph_hxfr_move_is_even(&m), i == 1);
        struct ph_rect r = ph_hxfr_rect(&f, i);
        CHECK_MEM(&r, &tiles[i].rect, sizeof(r));
        CHECK_EQ(ph_hxfr_planes(&f, i), tiles[i].planes);
    }
    struct ph_writer w = ph_writer(out, sizeof(out));
    f.flags = PH_HXFR_FRAME_LZ4;
    ph_hxfr_write_tiles(&w, 1, &f, moves, tiles, 15);
    ph_write_bytes(&w, payload + control, 15);
    golden_check("hxfr-tiles-packed", out, w.len);
    for (size_t n = 0; n < control; n++) {
        CHECK(!ph_hxfr_parse_frame(
                PH_HXFR_TILES, payload, n, total, &screen, &f));
    }
    /* These carry no pixels and so nothing of this. */
    CHECK(!ph_hxfr_parse_frame(
            PH_HXFR_SLOT_FRAME, payload, control, total, &screen, &f));
    CHECK(!ph_hxfr_parse_frame(PH_HXFR_SLOT_FRAME, payload, control,
            (uint32_t)control, &screen, &f));
    CHECK(!ph_hxfr_parse_frame(
            PH_HXFR_REPEAT, payload, control, (uint32_t)control, &screen, &f));
}

/* A block is smaller than its pixels, and these than the picture. */
static void test_blocks(void)
{
    static struct ph_tile all = {{0, 0, 1920, 1080}, PH_HXFR_ALL_PLANES};
    static const struct ph_tile twice[] = {
            {{0, 0, 1920, 1080}, PH_HXFR_ALL_PLANES},
            {{0, 0, 1, 1}, PH_HXFR_LUMA}};
    const size_t size = 1920 * 1080 / 2 * 3;
    const uint32_t lz4 = PH_HXFR_FRAME_LZ4;
    CHECK(passes(&screen, lz4, NULL, 0, &all, 1, 1));
    CHECK(passes(&screen, lz4, NULL, 0, &all, 1, size - 1));
    CHECK(!passes(&screen, lz4, NULL, 0, &all, 1, size));
    CHECK(!passes(&screen, lz4, NULL, 0, &all, 1, 0));
    CHECK(passes(&screen, 0, NULL, 0, &all, 1, size));
    CHECK(!passes(&screen, 0, NULL, 0, &all, 1, size - 1));
    CHECK(!passes(&screen, lz4, NULL, 0, twice, 2, 100));
    CHECK(passes(&screen, 0, NULL, 0, twice, 2, size + 1));
    CHECK(!passes(&screen, lz4, NULL, 0, NULL, 0, 1)); /* nothing, packed */
    CHECK(passes(&rgb, lz4, NULL, 0, &all, 1, size));
}

static void test_moves(void)
{
    static const struct {
        struct ph_move move;
        bool fits;
        bool fits_rgb;
    } cases[] = {
            {{{0, 0, 1920, 1079}, 0, 1}, true, false},
            {{{0, 0, 1920, 1078}, 0, 2}, true, true},
            {{{0, 0, 1920, 1080}, 0, 1}, false, false},
            {{{0, 0, 1920, 1080}, 0, 0}, false, false},
            {{{0, 1, 1920, 1079}, 0, -1}, true, false},
            {{{0, 1, 1920, 1079}, 0, -2}, false, false},
            {{{1, 0, 1919, 4}, -1, 0}, true, false},
            {{{1, 0, 1919, 4}, -2, 0}, false, false},
            {{{0, 0, 4, 4}, 1916, 1076}, true, true},
            {{{0, 0, 4, 4}, 1917, 0}, false, false},
            {{{0, 0, 4, 4}, INT16_MIN, 0}, false, false},
            {{{0, 0, 4, 4}, INT16_MAX, INT16_MAX}, false, false},
            {{{65535, 65535, 65535, 65535}, -1, -1}, false, false},
            {{{0, 0, 0, 4}, 2, 2}, false, false},
            {{{0, 0, 4, 0}, 2, 2}, false, false},
            {{{1918, 0, 4, 4}, -100, 0}, false, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct ph_move *m = &cases[i].move;
        CHECK_EQ(passes(&screen, 0, m, 1, NULL, 0, 0), cases[i].fits);
        CHECK_EQ(passes(&rgb, 0, m, 1, NULL, 0, 0), cases[i].fits_rgb);
    }
    /* No more than there may be, nor more work than twice the picture. */
    struct ph_move many[PH_HXFR_MAX_MOVES + 1];
    for (size_t i = 0; i < PH_HXFR_MAX_MOVES + 1; i++) {
        many[i] = (struct ph_move){{0, 0, 2, 2}, 2, 2};
    }
    CHECK(passes(&screen, 0, many, PH_HXFR_MAX_MOVES, NULL, 0, 0));
    CHECK(!passes(&screen, 0, many, PH_HXFR_MAX_MOVES + 1, NULL, 0, 0));
    for (size_t i = 0; i < 3; i++) {
        many[i] = (struct ph_move){{0, 0, 1920, 1078}, 0, 2};
    }
    CHECK(passes(&screen, 0, many, 2, NULL, 0, 0));
    CHECK(!passes(&screen, 0, many, 3, NULL, 0, 0));
}

static void test_planes(void)
{
    static const struct {
        struct ph_tile tile;
        size_t bytes; /* 0: does not fit */
    } cases[] = {
            {{{1, 3, 5, 7}, PH_HXFR_LUMA}, 35},
            {{{1919, 1079, 1, 1}, PH_HXFR_LUMA}, 1},
            {{{1919, 1079, 2, 1}, PH_HXFR_LUMA}, 0},
            {{{2, 4, 6, 8}, PH_HXFR_CHROMA}, 24},
            {{{1, 4, 6, 8}, PH_HXFR_CHROMA}, 0},
            {{{2, 4, 6, 7}, PH_HXFR_CHROMA}, 0},
            {{{2, 4, 6, 8}, PH_HXFR_ALL_PLANES}, 72},
            {{{1, 4, 6, 8}, PH_HXFR_ALL_PLANES}, 0},
            {{{2, 4, 6, 8}, 0}, 0},
            {{{2, 4, 6, 8}, 4}, 0},
            {{{2, 4, 6, 8}, 255}, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct ph_tile *t = &cases[i].tile;
        size_t bytes = cases[i].bytes;
        CHECK_EQ(passes(&screen, 0, NULL, 0, t, 1, bytes), bytes != 0);
    }
    struct ph_tile t = {{2, 4, 6, 8}, PH_HXFR_LUMA};
    CHECK(!passes(&rgb, 0, NULL, 0, &t, 1, 48)); /* it has no planes */
    t.planes = PH_HXFR_ALL_PLANES;
    CHECK(passes(&rgb, 0, NULL, 0, &t, 1, 192));
}

static void test_checksum(void)
{
    struct golden g = golden_read("hxfr-checksum");
    const uint8_t *payload = g.data + PH_HXFR_HEADER_SIZE;
    struct ph_hxfr_checksum c = {0};
    CHECK(ph_hxfr_parse_checksum(payload, g.len - PH_HXFR_HEADER_SIZE, &c));
    CHECK_EQ(c.sequence, 5);
    CHECK(c.sum == UINT64_C(0x0123456789abcdef));
    struct ph_writer w = ph_writer(out, sizeof(out));
    ph_hxfr_write_checksum(&w, 1, &c);
    golden_check("hxfr-checksum", out, w.len);
    CHECK(!ph_hxfr_parse_checksum(payload, 11, &c));
    CHECK(!ph_hxfr_parse_checksum(payload, 13, &c));

    /* Padding does not count, and every byte does. */
    uint8_t a[3][16] = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}};
    uint64_t sum = ph_hxfr_sum(0, a[0], 16, 11, 3);
    a[1][11] = 77;
    CHECK(ph_hxfr_sum(0, a[0], 16, 11, 3) == sum);
    for (size_t i = 0; i < 3 * 16; i++) {
        a[i / 16][i % 16] ^= 0x80;
        CHECK_EQ(ph_hxfr_sum(0, a[0], 16, 11, 3) != sum, i % 16 < 11);
        a[i / 16][i % 16] ^= 0x80;
    }
    /* As docs/protocol.md defines it. */
    uint8_t one[9] = {1, 0, 0, 0, 0, 0, 0, 0, 2};
    uint64_t k = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t want = k ^ k >> 29;
    want = (want ^ 2) * k;
    want ^= want >> 29;
    CHECK(ph_hxfr_sum(0, one, 9, 9, 1) == want);
}

int main(void)
{
    test_packed();
    test_blocks();
    test_moves();
    test_planes();
    test_checksum();
    return CHECK_DONE();
}
