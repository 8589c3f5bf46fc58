/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a delta says makes one picture the other, bit by bit, for contents
 * that look like a desktop and for random ones; and it is small where
 * something only moved.
 */
#include "video/delta.h"

#include <stdlib.h>
#include <string.h>

#include "cli/bench_feed.h"
#include "common/alloc.h"
#include "common/clock.h"
#include "common/macros.h"
#include "hostd/surface.h"
#include "video/pack.h"

#include "check.h"

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % limit;
}

/* A delta and a host that hears of it as messages. */
struct pair {
    struct ph_delta *delta;
    struct ph_budget budget;
    struct ph_surface held;
    uint8_t *pixels;
    uint8_t *message;
    uint8_t *packed;
    size_t packed_size;
};

static struct pair begin(uint32_t width, uint32_t height)
{
    struct ph_hxfr_surface info = {
            .width = width, .height = height, .format = PH_HXFR_NV12};
    struct pair p = {.budget = {.limit = 256 << 20}};
    size_t size = (size_t)width * height / 2 * 3;
    p.delta = ph_delta_create(width, height);
    p.pixels = ph_xmalloc(size);
    p.packed = ph_xmalloc(size);
    p.message = ph_xmalloc(PH_HXFR_HEADER_SIZE + PH_HXFR_MAX_CONTROL);
    CHECK(ph_surface_init(&p.held, &p.budget, &info));
    p.held.budget = NULL; /* p is copied */
    return p;
}

static void end(struct pair *p)
{
    ph_delta_destroy(p->delta);
    ph_surface_finish(&p->held);
    free(p->pixels);
    free(p->packed);
    free(p->message);
}

/* As it goes over the wire. */
static void bring_over(struct pair *p)
{
    struct ph_delta *d = p->delta;
    struct ph_hxfr_frame f = {
            .move_count = d->move_count, .rect_count = d->tile_count};
    struct ph_writer w =
            ph_writer(p->message, PH_HXFR_HEADER_SIZE + PH_HXFR_MAX_CONTROL);
    ph_hxfr_write_tiles(&w, 1, &f, d->moves, d->tiles, d->bytes);
    CHECK(w.ok);
    size_t control = w.len - PH_HXFR_HEADER_SIZE;
    if (CHECK(ph_hxfr_parse_frame(PH_HXFR_TILES,
                p->message + PH_HXFR_HEADER_SIZE, control,
                (uint32_t)(control + d->bytes), &p->held.info, &f))) {
        ph_delta_gather(d, p->pixels);
        ph_surface_patch(&p->held, &f, p->pixels);
    }
    p->packed_size = d->bytes
            ? control + ph_pack(p->pixels, d->bytes, p->packed, d->bytes - 1)
            : control;
}

static bool same(const struct ph_nv12 *a, const struct ph_nv12 *b)
{
    for (int plane = 0; plane < 2; plane++) {
        for (uint32_t y = 0; y < a->height >> plane; y++) {
            if (memcmp(a->plane[plane] + (size_t)y * a->stride[plane],
                        b->plane[plane] + (size_t)y * b->stride[plane],
                        a->width) != 0) {
                return false;
            }
        }
    }
    return true;
}

/* --- a desktop --- */

static void check_content(const char *content, size_t most, int moves)
{
    enum {
        W = 1920,
        H = 1080,
        STEPS = 10
    };
    struct ph_bench_feed feed;
    char error[200];
    if (!CHECK(ph_bench_feed_init(
                &feed, content, W, H, false, error, sizeof(error)))) {
        return;
    }
    struct pair p = begin(W, H);
    uint8_t *pixels = ph_xmalloc(W * H / 2 * 3);
    struct ph_nv12 now = {{pixels, pixels + W * H}, {W, W}, W, H};
    struct ph_region all = {.count = 0};
    ph_region_set(&all, W, H);
    ph_bench_feed_draw(&feed, &all, &now);
    ph_delta_update(p.delta, &now, NULL, 0, true);
    bring_over(&p);
    CHECK(same(&now, &p.held.picture));
    int moved = 0;
    size_t sum = 0;
    size_t packed = 0;
    int64_t spent = 0;
    for (int i = 0; i < STEPS; i++) {
        CHECK(ph_bench_feed_next(&feed));
        ph_bench_feed_draw(&feed, &feed.changed, &now);
        int64_t start = ph_clock_ns();
        ph_delta_update(
                p.delta, &now, feed.changed.rects, feed.changed.count, false);
        spent += ph_clock_ns() - start;
        bring_over(&p);
        if (!CHECK(same(&now, &p.held.picture))) {
            break;
        }
        moved += p.delta->move_count > 0;
        sum += p.delta->bytes;
        packed += p.packed_size;
    }
    printf("%-7s %d of %d frames moved, %zu bytes, %zu packed, %.2f ms\n",
            content, moved, STEPS, sum / STEPS, packed / STEPS,
            (double)spent / STEPS / (double)PH_NS_PER_MS);
    CHECK(moved >= moves);
    if (ph_pack_supported()) {
        CHECK(packed / STEPS < most);
    }
    free(pixels);
    end(&p);
    ph_bench_feed_finish(&feed);
}

/* --- random pictures --- */

enum {
    W = 322,
    H = 178
};

static void draw_noise(const struct ph_nv12 *to, struct ph_rect r, int colours)
{
    for (int plane = 0; plane < 2; plane++) {
        for (uint32_t y = r.y >> plane; y < (uint32_t)(r.y + r.height) >> plane;
                y++) {
            for (uint32_t x = r.x; x < (uint32_t)r.x + r.width; x++) {
                to->plane[plane][(size_t)y * to->stride[plane] + x] =
                        (uint8_t)(random_below((uint32_t)colours) * 40);
            }
        }
    }
}

static struct ph_rect random_rect(void)
{
    struct ph_rect r;
    r.x = (uint16_t)(random_below(W) & ~1u);
    r.y = (uint16_t)(random_below(H) & ~1u);
    r.width = (uint16_t)((random_below(W - r.x) + 2u) & ~1u);
    r.height = (uint16_t)((random_below(H - r.y) + 2u) & ~1u);
    return r;
}

/* Scrolled by any number of pixels, in any direction, with something new on
 * top of it: always exact; with enough to recognise, moved. */
static void test_offsets(void)
{
    static const int offsets[][2] = {{0, -17}, {0, 17}, {0, -15}, {0, 15},
            {0, -2}, {0, 1}, {0, -34}, {3, 0}, {-8, 0}, {11, -5}, {-7, 13}};
    uint8_t *memory = ph_xcalloc(1, W * H / 2 * 3);
    struct ph_nv12 now = {{memory, memory + W * H}, {W, W}, W, H};
    struct ph_rect all = {0, 0, W, H};
    struct pair p = begin(W, H);
    draw_noise(&now, all, 6);
    ph_delta_update(p.delta, &now, NULL, 0, true);
    bring_over(&p);
    for (size_t i = 0; i < 4 * PH_LEN(offsets); i++) {
        const int *o = offsets[i % PH_LEN(offsets)];
        struct ph_move m = {
                {(uint16_t)(o[0] < 0 ? -o[0] : 0),
                        (uint16_t)(o[1] < 0 ? -o[1] : 0),
                        (uint16_t)(W - abs(o[0])), (uint16_t)(H - abs(o[1]))},
                (int16_t)o[0], (int16_t)o[1]};
        ph_moves_apply(&now, &m);
        draw_noise(&now, (struct ph_rect){0, 0, W, 2}, 6);
        struct ph_rect r = {(uint16_t)(i % 50 * 2), 60, 30, 20};
        draw_noise(&now, r, 2);
        ph_delta_update(p.delta, &now, &all, 1, false);
        bring_over(&p);
        CHECK(same(&now, &p.held.picture));
        CHECK(same(&now, &p.delta->mirror));
        CHECK_EQ(p.delta->move_count > 0, true);
        CHECK_EQ(p.delta->moves[0].dx, o[0]);
        CHECK_EQ(p.delta->moves[0].dy, o[1]);
    }
    end(&p);
    free(memory);
}

/* Few colours make everything look like everything: whatever is guessed, the
 * result is exact, and never larger than the picture. */
static void test_anything(void)
{
    uint8_t *memory = ph_xcalloc(1, W * H / 2 * 3);
    struct ph_nv12 now = {{memory, memory + W * H}, {W, W}, W, H};
    struct pair p = begin(W, H);
    ph_delta_update(p.delta, &now, NULL, 0, false);
    bring_over(&p);
    for (int i = 0; i < 200; i++) {
        struct ph_region changed = {.count = 0};
        for (uint32_t n = random_below(12); n > 0; n--) {
            struct ph_rect r = random_rect();
            draw_noise(&now, r, 1 + (int)random_below(4));
            ph_region_add(&changed, r);
        }
        if (random_below(2)) { /* something scrolls */
            struct ph_move m = {random_rect(), 0, 0};
            m.dx = (int16_t)((int)random_below(W - m.from.width + 1u) -
                    m.from.x);
            m.dy = (int16_t)((int)random_below(H - m.from.height + 1u) -
                    m.from.y);
            ph_moves_apply(&now, &m);
            ph_region_add(&changed, ph_hxfr_move_target(&m));
            ph_region_align(&changed, W, H);
        }
        ph_delta_update(
                p.delta, &now, changed.rects, changed.count, i % 50 == 49);
        bring_over(&p);
        CHECK(p.delta->bytes <= W * H / 2 * 3);
        if (!CHECK(same(&now, &p.held.picture))) {
            break;
        }
    }
    /* Nothing changed: nothing to send. */
    struct ph_rect all = {0, 0, W, H};
    ph_delta_update(p.delta, &now, &all, 1, false);
    CHECK_EQ(p.delta->bytes, 0);
    CHECK_EQ(p.delta->move_count, 0);
    CHECK_EQ(p.delta->tile_count, 0);
    /* A dot in each tile: more tiles than there may be. */
    for (uint32_t y = 0; y < H; y += 4) {
        for (uint32_t x = y / 4 % 2 * 32; x < W; x += 64) {
            memory[y * W + x] ^= 0x55;
        }
    }
    ph_delta_update(p.delta, &now, &all, 1, false);
    bring_over(&p);
    CHECK(same(&now, &p.held.picture));
    end(&p);
    free(memory);
}

int main(void)
{
    check_content("typing", 3000, 0);
    check_content("scroll", 60000, 9);
    check_content("drag", 200000, 9);
    check_content("video", 1400000, 0);
    check_content("static", 100, 0);
    test_offsets();
    test_anything();
    return CHECK_DONE();
}
