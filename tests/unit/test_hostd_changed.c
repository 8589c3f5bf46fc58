/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every backend of this build, told exactly what changed: what it skips must
 * still be right, and a picture that stands still costs next to nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "common/macros.h"
#include "hostd/encoder.h"
#include "proto/h264.h"

#define LOG_MODULE "test"
#include "common/log.h"

#include "check.h"
#include "encoders.h"
#include "psnr.h"

enum {
    WIDTH = 650,
    HEIGHT = 370,
    STRIDE = 704,
    FRAMES = 40
};

static uint8_t memory[STRIDE * HEIGHT * 3 / 2];
static const struct ph_nv12 picture = {
        {memory, memory + STRIDE *HEIGHT}, {STRIDE, STRIDE}, WIDTH, HEIGHT};

/* Text-like: bars of a few pixels on a flat ground. */
static void fill(struct ph_rect r, uint32_t seed)
{
    for (uint32_t y = r.y; y < (uint32_t)r.y + r.height; y++) {
        uint8_t *luma = memory + (size_t)y * STRIDE;
        uint8_t *chroma = memory + (size_t)(HEIGHT + y / 2) * STRIDE;
        for (uint32_t x = r.x; x < (uint32_t)r.x + r.width; x++) {
            bool ink = (x / 3 * 7 + y / 5 * 13 + seed * 31) % 5 == 0;
            luma[x] = ink ? 210 : 40;
            chroma[x] = (uint8_t)(x % 2 ? 120 : 134);
        }
    }
}

static void check_picture(struct decoder *d, const struct ph_encoder_output *o)
{
    if (CHECK(decoder_push(d, o->data, o->size))) {
        CHECK(least_psnr(d, &picture) >= 30);
    }
}

static void check_backend(const struct ph_encoder_ops *ops)
{
    static const struct ph_region nothing = {.count = 0};
    char error[160] = "";
    struct ph_encoder_config config = {.width = WIDTH,
            .height = HEIGHT,
            .bitrate = 8000000,
            .fps = 60,
            .colour = {6, 1, 13, false}};
    struct ph_encoder *e = ops->open(ops, &config, error, sizeof(error));
    struct decoder *d = decoder_create();
    struct ph_encoder_output out = {0};
    unsigned small = 0;
    if (!CHECK(e != NULL)) {
        fprintf(stderr, "  %s: %s\n", ops->name, error);
        return;
    }
    fill((struct ph_rect){0, 0, WIDTH, HEIGHT}, 0);
    struct ph_encoder_input first = {.picture = &picture, .keyframe = true};
    CHECK_EQ(ops->encode(e, &first, &out), PH_ENCODER_OK);
    check_picture(d, &out);
    for (uint32_t n = 1; n < FRAMES; n++) {
        struct ph_region changed = {.count = 0};
        /* Across borders of macroblocks, and at the right and lower edge. */
        struct ph_rect at[] = {{(uint16_t)(n * 10), (uint16_t)(n * 4), 30, 22},
                {WIDTH - 6, HEIGHT - 6, 6, 6}};
        for (size_t i = 0; i < PH_LEN(at); i++) {
            fill(at[i], n);
            ph_region_add(&changed, at[i]);
        }
        struct ph_encoder_input in = {.picture = &picture,
                .keyframe = n == FRAMES / 2,
                .changed = &changed};
        CHECK_EQ(ops->encode(e, &in, &out), PH_ENCODER_OK);
        CHECK_EQ(out.keyframe, in.keyframe);
        check_picture(d, &out);

        struct ph_encoder_input still = {
                .picture = &picture, .changed = &nothing};
        CHECK_EQ(ops->encode(e, &still, &out), PH_ENCODER_OK);
        small += out.size < 300;
        check_picture(d, &out);
    }
    /* Now and then rate control finds room to sharpen what it had to blur. */
    CHECK(small * 2 > FRAMES);
    decoder_destroy(d);
    ops->close(e);
}

static double luma_psnr(struct decoder *d)
{
    double sum = 0;
    for (uint32_t y = 0; y < HEIGHT; y++) {
        for (uint32_t x = 0; x < WIDTH; x++) {
            uint8_t got[3] = {0};
            CHECK(decoder_pixel(d, x, y, got));
            double error = got[0] - memory[(size_t)y * STRIDE + x];
            sum += error * error;
        }
    }
    return sum > 0 ? 10 * log10(255 * 255 / (sum / (WIDTH * HEIGHT))) : 99;
}

/* Asks for steps until one gains nothing; the bytes of all. */
static size_t refine(struct ph_encoder *e, struct decoder *d)
{
    static const struct ph_region nothing = {.count = 0};
    size_t bytes = 0;
    double before = luma_psnr(d);
    bool fine = false;
    for (int step = 1; step <= PH_ENCODER_STEPS; step++) {
        struct ph_encoder_output out = {0};
        struct ph_encoder_input in = {
                .picture = &picture, .changed = &nothing, .refine = step};
        CHECK_EQ(e->ops->encode(e, &in, &out), PH_ENCODER_OK);
        CHECK(decoder_push(d, out.data, out.size));
        CHECK(!out.keyframe);
        double now = luma_psnr(d);
        CHECK(now >= before - 0.1);
        CHECK(!fine || out.fine);
        before = now;
        fine = out.fine;
        bytes += out.size;
    }
    return bytes;
}

/* What stands still gets fine, for less than a second's bits; what is fine
 * costs nothing more, also when something else has changed. */
static void check_refinement(const struct ph_encoder_ops *ops)
{
    char error[160] = "";
    struct ph_encoder_config config = {.width = WIDTH,
            .height = HEIGHT,
            .bitrate = 8000000,
            .fps = 60,
            .colour = {6, 1, 13, false}};
    struct ph_encoder *e = ops->open(ops, &config, error, sizeof(error));
    struct decoder *d = decoder_create();
    struct ph_encoder_output out = {0};
    struct ph_rect at = {100, 100, 40, 20};
    struct ph_region changed = {.count = 0};
    if (!CHECK(e != NULL)) {
        return;
    }
    ph_region_add(&changed, at);
    for (uint32_t n = 0; n < 30; n++) { /* uses the budget up */
        struct ph_encoder_input in = {.picture = &picture, .keyframe = n == 0};
        fill((struct ph_rect){0, 0, WIDTH, HEIGHT}, n);
        CHECK_EQ(ops->encode(e, &in, &out), PH_ENCODER_OK);
        CHECK(decoder_push(d, out.data, out.size));
    }
    CHECK(refine(e, d) < config.bitrate / 8);
    refine(e, d); /* the rest, had the budget not sufficed */
    CHECK(luma_psnr(d) >= 45);
    fill(at, 77);
    struct ph_encoder_input in = {.picture = &picture, .changed = &changed};
    CHECK_EQ(ops->encode(e, &in, &out), PH_ENCODER_OK);
    CHECK(decoder_push(d, out.data, out.size));
    CHECK(refine(e, d) < 4000);
    CHECK(luma_psnr(d) >= 45);
    decoder_destroy(d);
    ops->close(e);
}

int main(void)
{
    ph_log_set_level(PH_LOG_ERROR);
    for (size_t i = 0; i < ph_encoder_table_size; i++) {
        if (encoder_works(ph_encoder_table[i])) {
            check_backend(ph_encoder_table[i]);
            if (ph_encoder_table[i]->refines) {
                check_refinement(ph_encoder_table[i]);
            }
        }
    }
    return CHECK_DONE();
}
