/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What each encoder must do, whatever is behind it. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "common/macros.h"
#include "hostd/encoder.h"
#include "proto/h264.h"

#include "psnr.h"

/* A picture with flat areas, edges and a gradient, which moves with n. */
static inline void paint(const struct ph_nv12 *p, unsigned n)
{
    for (uint32_t y = 0; y < p->height; y++) {
        for (uint32_t x = 0; x < p->width; x++) {
            uint32_t v = 40 + (x + y) * 120 / (p->width + p->height);
            if ((x + 3 * n) / 24 % 3 == 0 && y / 16 % 2 == 0) {
                v = 220;
            }
            p->plane[0][(size_t)y * p->stride[0] + x] = (uint8_t)v;
        }
    }
    for (uint32_t y = 0; y < p->height / 2; y++) {
        uint8_t *row = p->plane[1] + (size_t)y * p->stride[1];
        for (uint32_t x = 0; x < p->width / 2; x++) {
            row[2 * x] = (uint8_t)(80 + x * 90 / p->width);
            row[2 * x + 1] = (uint8_t)(170 - y * 90 / p->height);
        }
    }
}

struct source {
    struct ph_nv12 picture;
    uint8_t *memory;
};

/* A stride that is not the width: 96 bytes more. */
static inline struct source new_source(uint32_t width, uint32_t height)
{
    uint32_t stride = width + 96;
    struct source s = {
            .memory = calloc(1, (size_t)stride * height * 3 / 2),
    };
    s.picture = (struct ph_nv12){{s.memory, s.memory + (size_t)stride * height},
            {stride, stride}, width, height};
    return s;
}

static inline struct ph_encoder_config config_for(
        uint32_t width, uint32_t height)
{
    return (struct ph_encoder_config){
            .width = width,
            .height = height,
            .bitrate = 8000000,
            .fps = 60,
            .colour = {6, 1, 13, false},
    };
}

/* All that docs/protocol.md promises of an access unit. */
static inline void check_unit(const struct ph_encoder_output *out,
        const struct ph_encoder_config *config, bool keyframe)
{
    struct ph_h264_unit unit = {0};
    struct ph_h264_sps sps = {0};
    CHECK(ph_h264_inspect(out->data, out->size, &unit));
    CHECK_EQ(unit.slices, 1); /* one picture: the encoder has one thread */
    CHECK_EQ(unit.idr, keyframe);
    CHECK_EQ(out->keyframe, keyframe);
    CHECK_EQ(unit.has_sps, keyframe);
    CHECK_EQ(unit.has_pps, keyframe);
    if (!keyframe) {
        return;
    }
    CHECK(ph_h264_parse_sps(unit.sps.data, unit.sps.size, &sps));
    CHECK_EQ(sps.width, config->width);
    CHECK_EQ(sps.height, config->height);
    CHECK_EQ(sps.chroma_format, 1);
    CHECK(sps.has_reorder_bound);
    CHECK_EQ(sps.max_reorder_frames, 0);
    CHECK(sps.has_colour && sps.has_range);
    CHECK_EQ(sps.matrix, config->colour.matrix);
    CHECK_EQ(sps.primaries, config->colour.primaries);
    CHECK_EQ(sps.transfer, config->colour.transfer);
    CHECK_EQ(sps.full_range, config->colour.full_range);
}

static inline void check_size(
        const struct ph_encoder_ops *ops, uint32_t width, uint32_t height)
{
    char error[160] = "";
    struct ph_encoder_config config = config_for(width, height);
    struct ph_encoder *e = ops->open(ops, &config, error, sizeof(error));
    if (!CHECK(e != NULL)) {
        fprintf(stderr, "  %ux%u: %s\n", width, height, error);
        return;
    }
    struct source s = new_source(width, height);
    struct decoder *d = decoder_create();
    for (unsigned n = 0; n < 8; n++) {
        struct ph_encoder_output out = {0};
        struct ph_encoder_input in = {
                .picture = &s.picture, .keyframe = n == 5};
        paint(&s.picture, n);
        CHECK_EQ(ops->encode(e, &in, &out), PH_ENCODER_OK);
        check_unit(&out, &config, n == 0 || n == 5);
        uint32_t got[2] = {0};
        CHECK(decoder_push(d, out.data, out.size));
        decoder_size(d, &got[0], &got[1]);
        CHECK(got[0] == width && got[1] == height);
        CHECK(least_psnr(d, &s.picture) >= 34);
    }
    decoder_destroy(d);
    ops->close(e);
    free(s.memory);
}

static inline void test_sizes(const struct ph_encoder_ops *ops)
{
    static const uint32_t sizes[][2] = {{640, 360}, {1366, 768}, {322, 182},
            {16, 16}, {18, 2}, {2, 2}, {2, 250}, {1000, 4}};
    for (size_t i = 0; i < PH_LEN(sizes); i++) {
        check_size(ops, sizes[i][0], sizes[i][1]);
    }
}

/* Bytes of n frames of noise, weak enough that no rate is out of reach. */
static inline size_t encode_noise(
        struct ph_encoder *e, const struct source *s, unsigned frames)
{
    size_t bytes = 0;
    size_t size = (size_t)s->picture.stride[0] * s->picture.height * 3 / 2;
    uint32_t seed = 1;
    for (unsigned n = 0; n < frames; n++) {
        struct ph_encoder_output out = {0};
        struct ph_encoder_input in = {.picture = &s->picture};
        for (size_t i = 0; i < size; i++) {
            seed = seed * 1664525 + 1013904223;
            s->memory[i] = (uint8_t)(seed >> 26);
        }
        CHECK_EQ(e->ops->encode(e, &in, &out), PH_ENCODER_OK);
        CHECK(!out.keyframe);
        bytes += out.size;
    }
    return bytes;
}

/* A lower rate takes effect without a keyframe; another profile needs one. */
static inline void test_reconfigure(const struct ph_encoder_ops *ops)
{
    char error[160] = "";
    struct ph_encoder_config config = config_for(320, 240);
    struct ph_encoder *e = ops->open(ops, &config, error, sizeof(error));
    if (!CHECK(e != NULL)) {
        return;
    }
    struct source s = new_source(320, 240);
    struct ph_encoder_output out = {0};
    struct ph_encoder_input in = {.picture = &s.picture};
    CHECK_EQ(ops->encode(e, &in, &out), PH_ENCODER_OK);
    encode_noise(e, &s, 120); /* empties the first second's allowance */
    size_t before = encode_noise(e, &s, 60);
    config.bitrate = 1000000;
    CHECK_EQ(ops->reconfigure(e, &config), PH_ENCODER_LIVE);
    encode_noise(e, &s, 120);
    size_t after = encode_noise(e, &s, 60);
    CHECK(before <= 8000000 / 8 * 2);
    if (!CHECK(after * 2 < before)) {
        fprintf(stderr, "  a second of noise: %zu, then %zu bytes\n", before,
                after);
    }
    config.profile = 66;
    CHECK_EQ(ops->reconfigure(e, &config), PH_ENCODER_REOPEN);
    config.profile = 0;
    config.fps = 30;
    CHECK_EQ(ops->reconfigure(e, &config), PH_ENCODER_REOPEN);
    ops->close(e);
    free(s.memory);
}
