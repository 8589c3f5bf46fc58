/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pictures that no encoder made, between those of real ones: decoded, they
 * show exactly what changed and nothing else, and those of the encoder are
 * decoded as if there were none between them.
 */
#include "proto/h264_quick.h"

#include <stdlib.h>

#include "check.h"
#include "common/macros.h"
#include "hostd/encoder.h"
#include "integration/decode.h"

enum {
    WIDTH = 200, /* the last macroblocks are not whole */
    HEIGHT = 104,
    MBS_WIDE = (WIDTH + 15) / 16,
    MBS_HIGH = (HEIGHT + 15) / 16,
    ROUNDS = 70, /* frame_num wraps on the way */
};

struct stage {
    struct ph_encoder *encoder;
    struct ph_h264_quick quick;
    struct decoder *with; /* sees all pictures */
    struct decoder *without; /* those of the encoder only */
    uint8_t bytes[WIDTH * HEIGHT * 3 / 2];
    struct ph_nv12 picture;
    uint8_t macroblocks[MBS_WIDE * MBS_HIGH];
    uint8_t unit[1 << 16];
    uint8_t before[MBS_HIGH * 16][MBS_WIDE * 16][3]; /* as decoded last */
};

static uint32_t next_random(void)
{
    static uint32_t state = 1;
    state = state * 1664525 + 1013904223;
    return state >> 8;
}

static void remember(struct stage *s)
{
    for (uint32_t y = 0; y < HEIGHT; y++) {
        for (uint32_t x = 0; x < WIDTH; x++) {
            CHECK(decoder_pixel(s->with, x, y, s->before[y][x]));
        }
    }
}

static void encode(struct stage *s, bool keyframe, const struct ph_region *r)
{
    struct ph_encoder_input in = {
            .picture = &s->picture, .keyframe = keyframe, .changed = r};
    struct ph_encoder_output out = {0};
    CHECK_EQ(s->encoder->ops->encode(s->encoder, &in, &out), PH_ENCODER_OK);
    ph_h264_quick_note(&s->quick, out.data, out.size);
    CHECK(decoder_push(s->with, out.data, out.size));
    CHECK(decoder_push(s->without, out.data, out.size));
    for (uint32_t y = 0; y < HEIGHT; y++) {
        for (uint32_t x = 0; x < WIDTH; x++) {
            uint8_t a[3] = {0};
            uint8_t b[3] = {0};
            decoder_pixel(s->with, x, y, a);
            decoder_pixel(s->without, x, y, b);
            CHECK_MEM(a, b, 3);
        }
    }
    remember(s);
}

/* New noise, zeros or ones in a cell somewhere. */
static struct ph_rect scribble(struct stage *s)
{
    struct ph_rect r = {.width = 8, .height = 18};
    r.x = (uint16_t)(next_random() % (WIDTH - r.width) & ~1u);
    r.y = (uint16_t)(next_random() % (HEIGHT - r.height) & ~1u);
    uint32_t kind = next_random() % 3;
    for (uint32_t y = r.y; y < (uint32_t)r.y + r.height; y++) {
        for (uint32_t x = r.x; x < (uint32_t)r.x + r.width; x++) {
            uint8_t v = (uint8_t)(kind == 2 ? next_random() : kind);
            s->picture.plane[0][y * WIDTH + x] = v;
            s->picture.plane[1][y / 2 * WIDTH + x] = (uint8_t)(v ^ 0x55);
        }
    }
    for (int y = r.y / 16; y <= (r.y + r.height - 1) / 16; y++) {
        for (int x = r.x / 16; x <= (r.x + r.width - 1) / 16; x++) {
            s->macroblocks[y * MBS_WIDE + x] = 1;
        }
    }
    return r;
}

static struct ph_h264_quick_picture quick_picture(const struct stage *s)
{
    return (struct ph_h264_quick_picture){
            .plane = {s->picture.plane[0], s->picture.plane[1]},
            .stride = {WIDTH, WIDTH},
            .width = WIDTH,
            .height = HEIGHT,
            .macroblocks = s->macroblocks};
}

static void check_shown(const struct stage *s)
{
    for (uint32_t y = 0; y < HEIGHT; y++) {
        for (uint32_t x = 0; x < WIDTH; x++) {
            uint8_t got[3] = {0};
            const uint8_t *c = s->picture.plane[1] + y / 2 * WIDTH + (x & ~1u);
            const uint8_t want[3] = {
                    s->picture.plane[0][y * WIDTH + x], c[0], c[1]};
            bool coded = s->macroblocks[y / 16 * MBS_WIDE + x / 16];
            decoder_pixel(s->with, x, y, got);
            CHECK_MEM(got, coded ? want : s->before[y][x], 3);
        }
    }
}

static void quick(struct stage *s)
{
    struct ph_h264_quick_picture p = quick_picture(s);
    uint32_t count = 0;
    for (size_t i = 0; i < sizeof(s->macroblocks); i++) {
        count += s->macroblocks[i];
    }
    size_t size = ph_h264_quick_write(&s->quick, &p, s->unit, sizeof(s->unit));
    CHECK(size > 0 && size <= ph_h264_quick_bound(count));
    CHECK(decoder_push(s->with, s->unit, size));
    check_shown(s);
    CHECK_EQ(ph_h264_quick_write(&s->quick, &p, s->unit, sizeof(s->unit)), 0);
}

static void test_encoder(const struct ph_encoder_ops *ops)
{
    struct ph_encoder_config config = {.width = WIDTH,
            .height = HEIGHT,
            .bitrate = 8000000,
            .fps = 60,
            .colour = {6, 6, 6, false}};
    char error[160] = "";
    struct stage *s = calloc(1, sizeof(*s));
    s->picture = (struct ph_nv12){{s->bytes, s->bytes + WIDTH * HEIGHT},
            {WIDTH, WIDTH}, WIDTH, HEIGHT};
    s->with = decoder_create();
    s->without = decoder_create();
    s->encoder = ops->open(ops, &config, error, sizeof(error));
    if (!CHECK(s->encoder)) {
        return;
    }
    for (size_t i = 0; i < sizeof(s->bytes); i++) {
        s->bytes[i] = (uint8_t)(128 + i % WIDTH / 3);
    }
    struct ph_h264_quick_picture p = quick_picture(s);
    CHECK_EQ(ph_h264_quick_write(&s->quick, &p, s->unit, sizeof(s->unit)), 0);
    encode(s, true, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        struct ph_region changed = {0};
        memset(s->macroblocks, 0, sizeof(s->macroblocks));
        for (uint32_t n = next_random() % 3; n < 3; n++) {
            ph_region_add(&changed, scribble(s));
        }
        quick(s);
        encode(s, i % 30 == 29, i % 30 == 29 ? NULL : &changed);
    }
    s->encoder->ops->close(s->encoder);
    decoder_destroy(s->with);
    decoder_destroy(s->without);
    free(s);
}

/* Every byte of the room counts; other sizes than the stream's are refused. */
static void test_limits(void)
{
    struct ph_h264_quick ready = {.has_sets = true,
            .ready = true,
            .mbs_wide = MBS_WIDE,
            .mbs_high = MBS_HIGH,
            .frame_num_bits = 4,
            .qp = 26};
    static uint8_t bytes[WIDTH * HEIGHT * 3 / 2];
    static uint8_t all[MBS_WIDE * MBS_HIGH];
    static uint8_t out[MBS_WIDE * MBS_HIGH * 1024];
    memset(all, 1, sizeof(all));
    struct ph_h264_quick_picture p = {{bytes, bytes + WIDTH * HEIGHT},
            {WIDTH, WIDTH}, WIDTH, HEIGHT, all};
    struct ph_h264_quick q = ready;
    size_t size = ph_h264_quick_write(&q, &p, out, sizeof(out));
    CHECK(size > 0 && size <= ph_h264_quick_bound(MBS_WIDE * MBS_HIGH));
    for (size_t cap = 0; cap < size; cap += cap < 16 ? 1 : 97) {
        q = ready;
        CHECK_EQ(ph_h264_quick_write(&q, &p, out, cap), 0);
    }
    q = ready;
    CHECK_EQ(ph_h264_quick_write(&q, &p, out, size), size);
    p.width = WIDTH + 16;
    q = ready;
    CHECK_EQ(ph_h264_quick_write(&q, &p, out, sizeof(out)), 0);
    p.width = WIDTH - 16;
    CHECK_EQ(ph_h264_quick_write(&q, &p, out, sizeof(out)), 0);
}

int main(void)
{
    for (size_t i = 0; i < ph_encoder_table_size; i++) {
        if (strstr(ph_encoder_table[i]->name, "x264")) {
            test_encoder(ph_encoder_table[i]);
        }
    }
    test_limits();
    return CHECK_DONE();
}
