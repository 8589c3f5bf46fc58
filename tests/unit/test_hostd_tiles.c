/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Moves, planes, LZ4 blocks and CHECKSUM at the host: what a proper guest
 * sends comes out bit by bit, what another sends is a FAILURE of its own.
 */
#include "common/macros.h"
#include "hostd/surface.h"
#include "video/moves.h"
#include "video/pack.h"

#define LOG_MODULE "test"
#include "common/log.h"

#include "peer.h"

enum {
    W = 96,
    H = 80
};

static struct ph_budget budget = {.limit = 64 << 20};
static const struct ph_session_config config = {
        .encoder = &ph_fake_encoder,
        .bitrate = 8000000,
        .budget = &budget,
        .progress_ms = 10000,
        .idle_ms = 10000,
};

/* What is asked for, and what this build grants of it. */
static const uint32_t every =
        PH_HXFR_CAP_TILES | PH_HXFR_CAP_MOVES | PH_HXFR_CAP_LZ4;

static uint32_t granted(void)
{
    return ph_pack_supported() ? every : every & ~(uint32_t)PH_HXFR_CAP_LZ4;
}

/* The picture as the host should hold it. */
static uint8_t pixels[W * H * 3 / 2];
static const struct ph_nv12 picture = {{pixels, pixels + W *H}, {W, W}, W, H};

static uint32_t random_below(uint32_t limit)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % limit;
}

static void fill(uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        data[i] = (uint8_t)random_below(256);
    }
}

/* A frame with this block or these pixels. */
static void send_tiles(struct peer *p, uint32_t sequence, uint32_t flags,
        const struct ph_move *moves, uint8_t move_count,
        const struct ph_tile *tile, const void *data, size_t size)
{
    uint8_t buf[PH_HXFR_HEADER_SIZE + PH_HXFR_MAX_CONTROL];
    struct ph_hxfr_frame f = {.sequence = sequence,
            .pts = 1000 * (int64_t)sequence,
            .flags = flags,
            .move_count = move_count,
            .rect_count = tile != NULL};
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    ph_hxfr_write_tiles(&w, 1, &f, moves, tile, size);
    peer_send(p, &w);
    CHECK(peer_write(p, data, size));
}

/* Asks what the host holds and compares. */
static void check_held(struct peer *p, uint32_t sequence)
{
    uint8_t buf[64];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    struct ph_hxfr_checksum c = {.sequence = sequence};
    c.sum = ph_hxfr_sum(0, pixels, W, W, H);
    c.sum = ph_hxfr_sum(c.sum, pixels + W * H, W, W, H / 2);
    ph_hxfr_write_checksum(&w, 1, &c);
    peer_send(p, &w);
    struct ph_hxfr_checksum own = {0};
    if (peer_expect(p, PH_HXFR_CHECKSUM)) {
        CHECK(ph_hxfr_parse_checksum(p->payload, p->header.payload, &own));
        CHECK_EQ(own.sequence, sequence);
        CHECK(own.sum == c.sum);
    }
}

/* A connection with every capability and the picture sent whole. */
static struct peer begin(struct ph_hxfr_surface *surface)
{
    static const struct ph_tile all = {{0, 0, W, H}, PH_HXFR_ALL_PLANES};
    struct peer p = peer_begin(&config);
    CHECK_EQ(peer_hello(&p, every, 4), granted());
    *surface = peer_surface(&p, 1, PH_HXFR_NV12, W, H);
    fill(pixels, sizeof(pixels));
    send_tiles(&p, 2, 0, NULL, 0, &all, pixels, sizeof(pixels));
    peer_expect_fake(&p, 2, true);
    check_held(&p, 2);
    return p;
}

static void finish(struct peer *p)
{
    peer_finish(p);
    CHECK_EQ(budget.used, 0);
}

/* Takes a tile out of the picture after new content came into it. */
static size_t cut(const struct ph_tile *t, uint8_t *to)
{
    size_t n = 0;
    for (int plane = 0; plane < 2; plane++) {
        if (!(t->planes & (plane ? PH_HXFR_CHROMA : PH_HXFR_LUMA))) {
            continue;
        }
        for (uint32_t y = t->rect.y >> plane;
                y < (uint32_t)(t->rect.y + t->rect.height) >> plane; y++) {
            uint8_t *row = picture.plane[plane] + (size_t)y * W + t->rect.x;
            fill(row, t->rect.width);
            row[0] = row[t->rect.width - 1]; /* something to pack */
            memcpy(to + n, row, t->rect.width);
            n += t->rect.width;
        }
    }
    return n;
}

static struct ph_tile random_tile(void)
{
    struct ph_tile t = {{0}, (uint8_t)(1 + random_below(3))};
    t.rect.x = (uint16_t)random_below(W);
    t.rect.y = (uint16_t)random_below(H);
    t.rect.width = (uint16_t)(1 + random_below(W - t.rect.x));
    t.rect.height = (uint16_t)(1 + random_below(H - t.rect.y));
    if (t.planes != PH_HXFR_LUMA) {
        t.rect.x &= (uint16_t)~1u;
        t.rect.y &= (uint16_t)~1u;
        t.rect.width = (uint16_t)((t.rect.width + 1) & ~1);
        t.rect.height = (uint16_t)((t.rect.height + 1) & ~1);
    }
    return t;
}

/* Line heights of 17 and 15 pixels, both ways, sideways, diagonally: any
 * move, over what it overlaps, with tiles of single planes behind it. */
static void test_any_move(void)
{
    struct ph_hxfr_surface s;
    struct peer p = begin(&s);
    uint8_t data[sizeof(pixels)];
    uint8_t block[sizeof(pixels)];
    static const int16_t offsets[][2] = {{0, -17}, {0, 17}, {0, -15}, {0, 15},
            {0, -34}, {2, 0}, {-2, 4}, {1, 0}, {-5, 3}, {11, -5}, {-16, -16}};
    for (uint32_t n = 0; n < 200; n++) {
        const int16_t *o = offsets[n % PH_LEN(offsets)];
        struct ph_move m = {{(uint16_t)(16 + random_below(20)),
                                    (uint16_t)(34 + random_below(4)), 0, 0},
                o[0], o[1]};
        m.from.width = (uint16_t)(1 + random_below(W - 16 - m.from.x));
        m.from.height = (uint16_t)(1 + random_below(H - 17 - m.from.y));
        if (n % 2) {
            m.from.x &= (uint16_t)~1u;
            m.from.y &= (uint16_t)~1u;
            m.from.width = (uint16_t)((m.from.width + 1) & ~1);
            m.from.height = (uint16_t)((m.from.height + 1) & ~1);
        }
        ph_moves_apply(&picture, &m);
        struct ph_tile t = random_tile();
        size_t size = cut(&t, data);
        size_t packed = ph_pack(data, size, block, size - 1);
        send_tiles(&p, 3 + n, packed ? PH_HXFR_FRAME_LZ4 : 0, &m, 1, &t,
                packed ? block : data, packed ? packed : size);
        peer_expect_fake(&p, 3 + n, false);
        check_held(&p, 3 + n);
    }
    finish(&p);
}

/* What the encoder is told includes where areas went. */
static void test_changed(void)
{
    struct ph_hxfr_surface s;
    struct peer p = begin(&s);
    static const struct ph_move moves[] = {
            {{0, 0, 10, 10}, 20, 20}, {{40, 0, 8, 8}, 0, 30}};
    static const struct ph_tile tile = {{0, 70, 4, 3}, PH_HXFR_LUMA};
    uint8_t data[12] = {0};
    send_tiles(&p, 3, 0, moves, 2, &tile, data, sizeof(data));
    CHECK_EQ(peer_expect_fake(&p, 3, false).changed, 100 + 64 + 12);
    finish(&p);
}

/* 64 kB that claim to be a picture of 8192x8192 cost that picture at most,
 * and that comes from the budget. */
static void test_bombs(void)
{
    static uint8_t zeros[1 << 20];
    static uint8_t block[1 << 16];
    static const struct ph_tile all = {{0, 0, W, H}, PH_HXFR_ALL_PLANES};
    struct ph_hxfr_surface s;
    size_t limit = budget.limit;
    budget.limit = 40 << 20; /* 24 MiB are the second surface's */
    struct peer p = begin(&s);
    size_t size = ph_pack(zeros, sizeof(zeros), block, sizeof(block));
    CHECK(size > 0 && size < sizeof(pixels));
    /* More than the rectangles say, less, and no block at all. */
    send_tiles(&p, 3, PH_HXFR_FRAME_LZ4, NULL, 0, &all, block, size);
    peer_expect_failure(&p, 3, PH_HXFR_ERR_INVALID);
    size = ph_pack(zeros, sizeof(pixels) - 1, block, sizeof(block));
    send_tiles(&p, 4, PH_HXFR_FRAME_LZ4, NULL, 0, &all, block, size);
    peer_expect_failure(&p, 4, PH_HXFR_ERR_INVALID);
    memset(block, 0xff, sizeof(block));
    send_tiles(&p, 5, PH_HXFR_FRAME_LZ4, NULL, 0, &all, block, 5000);
    peer_expect_failure(&p, 5, PH_HXFR_ERR_INVALID);
    check_held(&p, 5); /* nothing was drawn */

    s = peer_surface(&p, 6, PH_HXFR_NV12, 4096, 4096);
    struct ph_tile large = {{0, 0, 4096, 4096}, PH_HXFR_ALL_PLANES};
    send_tiles(&p, 7, PH_HXFR_FRAME_LZ4, NULL, 0, &large, block, 5000);
    peer_expect_failure(&p, 7, PH_HXFR_ERR_BUSY);
    finish(&p);
    budget.limit = limit;
}

/* A host without LZ4 was not asked for it, and takes none. */
static void test_no_blocks(void)
{
    static const struct ph_tile all = {{0, 0, W, H}, PH_HXFR_ALL_PLANES};
    uint8_t block[16] = {0};
    struct ph_hxfr_surface s;
    struct peer p = begin(&s);
    send_tiles(&p, 3, PH_HXFR_FRAME_LZ4, NULL, 0, &all, block, sizeof(block));
    peer_expect_failure(&p, 3, PH_HXFR_ERR_INVALID);
    finish(&p);
}

/* Frames that do not fit, and what was not agreed on; another guest of the
 * same host notices nothing. */
static void test_misfits(void)
{
    static const struct ph_move out = {{0, 0, 50, 50}, 50, 0};
    static const struct ph_move good = {{0, 0, 50, 50}, 4, 4};
    static const struct ph_tile beyond = {{90, 0, 8, 8}, PH_HXFR_LUMA};
    static const struct ph_rect small = {0, 0, 16, 16};
    uint8_t data[64] = {0};
    struct ph_hxfr_surface s;
    struct peer other = peer_begin(&config);
    peer_hello(&other, PH_HXFR_CAP_TILES, 4);
    struct ph_hxfr_surface its = peer_surface(&other, 1, PH_HXFR_NV12, 16, 16);
    peer_frame(&other, PH_HXFR_TILES, &its, 2, &small, 1, 0, 50);
    CHECK_EQ(peer_expect_fake(&other, 2, true).corner[0], 50);
    struct peer p = begin(&s);
    send_tiles(&p, 3, 0, &out, 1, NULL, data, 0);
    peer_expect_failure(&p, 3, PH_HXFR_ERR_INVALID);
    send_tiles(&p, 4, 0, NULL, 0, &beyond, data, sizeof(data));
    peer_expect_failure(&p, 4, PH_HXFR_ERR_INVALID);
    send_tiles(&p, 5, 0, &good, 1, NULL, data, 5); /* more than implied */
    peer_expect_failure(&p, 5, PH_HXFR_ERR_INVALID);
    check_held(&p, 5);
    /* A sequence twice is answered twice: it only names the answer. */
    send_tiles(&p, 5, 0, &good, 1, NULL, data, 0);
    ph_moves_apply(&picture, &good);
    peer_expect_fake(&p, 5, false);
    check_held(&p, 5);
    peer_frame(&other, PH_HXFR_TILES, &its, 3, &small, 1, 0, 70);
    CHECK_EQ(peer_expect_fake(&other, 3, false).corner[0], 70);
    peer_finish(&p);
    finish(&other);

    p = peer_begin(&config);
    CHECK_EQ(peer_hello(&p, PH_HXFR_CAP_TILES, 4), PH_HXFR_CAP_TILES);
    peer_surface(&p, 1, PH_HXFR_NV12, W, H);
    send_tiles(&p, 2, 0, &good, 1, NULL, data, 0);
    peer_expect_failure(&p, 2, PH_HXFR_ERR_INVALID);
    finish(&p);
}

/* CHECKSUM before there is a picture, and one of a wrong size. */
static void test_checksum(void)
{
    struct peer p = peer_begin(&config);
    CHECK_EQ(peer_hello(&p, every, 4), granted());
    uint8_t buf[64];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    struct ph_hxfr_checksum c = {.sequence = 9, .sum = 9};
    ph_hxfr_write_checksum(&w, 1, &c);
    peer_send(&p, &w);
    if (peer_expect(&p, PH_HXFR_CHECKSUM)) {
        CHECK(ph_hxfr_parse_checksum(p.payload, p.header.payload, &c));
        CHECK_EQ(c.sequence, 9);
        CHECK_EQ(c.sum, 0);
    }
    peer_header(&p, PH_HXFR_CHECKSUM, 5);
    peer_write(&p, buf, 5);
    peer_expect_error(&p, PH_HXFR_ERR_INVALID);
    finish(&p);
}

int main(void)
{
    ph_log_set_level(PH_LOG_ERROR);
    test_any_move();
    test_changed();
    if (ph_pack_supported()) {
        test_bombs();
    } else {
        test_no_blocks();
    }
    test_misfits();
    test_checksum();
    return CHECK_DONE();
}
