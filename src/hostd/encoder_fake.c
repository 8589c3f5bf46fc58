/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostd/encoder_fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/bytes.h"
#include "proto/h264.h"

struct fake_encoder {
    struct ph_encoder base;
    struct ph_encoder_config config;
    uint32_t count;
    uint8_t out[256];
};

/* As x264 writes them, for 320x240: the size is not that of the pictures. */
static const uint8_t sps[] = {0x00, 0x00, 0x00, 0x01, 0x67, 0x42, 0xc0, 0x15,
        0xda, 0x05, 0x07, 0xe9, 0xa8, 0x08, 0x68, 0x32, 0x00, 0x00, 0x03, 0x00,
        0x02, 0x00, 0x00, 0x03, 0x00, 0xf1, 0x1e, 0x2c, 0x5d, 0x40};
static const uint8_t pps[] = {0x00, 0x00, 0x00, 0x01, 0x68, 0xce, 0x0f, 0xc8};

/* Numbers as hexadecimal digits: no byte of it can look like a start code. */
static size_t write_slice(uint8_t *out, size_t size, uint8_t type,
        const struct ph_fake_picture *p)
{
    const uint8_t head[] = {0, 0, 0, 1, type};
    memcpy(out, head, sizeof(head));
    int n = snprintf((char *)out + sizeof(head), size - sizeof(head),
            "%08x%08x%08x%08x%08x%02x%02x%02x%02x.", p->width, p->height,
            p->bitrate, p->count, p->changed, p->corner[0], p->corner[1],
            p->corner[2], p->refine);
    return sizeof(head) + (size_t)n;
}

static uint32_t hex(const uint8_t *p, int digits)
{
    uint32_t v = 0;
    for (int i = 0; i < digits; i++) {
        v = v << 4 | (uint32_t)(p[i] <= '9' ? p[i] - '0' : p[i] - 'a' + 10);
    }
    return v;
}

bool ph_fake_parse(
        const uint8_t *data, size_t size, struct ph_fake_picture *out)
{
    struct ph_h264_nal nal;
    size_t pos = 0;
    while (ph_h264_next_nal(data, size, &pos, &nal)) {
        if (nal.type > PH_H264_IDR || nal.size < 49) {
            continue;
        }
        const uint8_t *p = nal.data + 1;
        *out = (struct ph_fake_picture){hex(p, 8), hex(p + 8, 8),
                hex(p + 16, 8), hex(p + 24, 8), hex(p + 32, 8),
                {(uint8_t)hex(p + 40, 2), (uint8_t)hex(p + 42, 2),
                        (uint8_t)hex(p + 44, 2)},
                (uint8_t)hex(p + 46, 2)};
        return true;
    }
    return false;
}

static bool is(const struct fake_encoder *e, const struct ph_encoder_ops *row)
{
    return e->base.ops == row;
}

static enum ph_encoder_result encode_fake(struct ph_encoder *encoder,
        const struct ph_encoder_input *in, struct ph_encoder_output *out)
{
    struct fake_encoder *e = (struct fake_encoder *)encoder;
    const struct ph_nv12 *p = in->picture;
    e->count++;
    if (is(e, &ph_fake_holds) && e->count == 1) {
        return PH_ENCODER_HELD;
    }
    if (is(e, &ph_fake_fails) && e->count > 2) {
        return PH_ENCODER_FAILED;
    }
    bool idr = e->count == 1 || (in->keyframe && !is(e, &ph_fake_no_idr));
    struct ph_fake_picture said = {
            .width = e->config.width,
            .height = e->config.height,
            .bitrate = e->config.bitrate,
            .count = e->count,
            .changed = UINT32_MAX,
            .corner = {p->plane[0][0], p->plane[1][0], p->plane[1][1]},
            .refine = (uint8_t)in->refine,
    };
    if (in->changed) {
        said.changed = (uint32_t)ph_region_pixels(in->changed);
    }
    size_t n = 0;
    if (idr && !is(e, &ph_fake_bare)) {
        memcpy(e->out, sps, sizeof(sps));
        memcpy(e->out + sizeof(sps), pps, sizeof(pps));
        n = sizeof(sps) + sizeof(pps);
    }
    n += write_slice(e->out + n, sizeof(e->out) - n,
            idr ? 0x60 | PH_H264_IDR : 0x40 | PH_H264_SLICE, &said);
    *out = (struct ph_encoder_output){e->out, n, idr};
    return PH_ENCODER_OK;
}

static enum ph_encoder_change reconfigure_fake(
        struct ph_encoder *encoder, const struct ph_encoder_config *config)
{
    struct fake_encoder *e = (struct fake_encoder *)encoder;
    if (config->fps != e->config.fps || e->base.ops == &ph_fake_stiff) {
        return PH_ENCODER_REOPEN;
    }
    e->config = *config;
    return PH_ENCODER_LIVE;
}

static void close_fake(struct ph_encoder *encoder)
{
    free(encoder);
}

static struct ph_encoder *open_fake(const struct ph_encoder_ops *row,
        const struct ph_encoder_config *config, char *error, size_t size)
{
    if (row == &ph_fake_absent) {
        snprintf(error, size, "there is none");
        return NULL;
    }
    struct fake_encoder *e = ph_xcalloc(1, sizeof(*e));
    e->base.ops = row;
    e->config = *config;
    return &e->base;
}

#define FAKE(id)                                                               \
    {                                                                          \
        .name = (id), .what = "for tests", .open = open_fake,                  \
        .encode = encode_fake, .reconfigure = reconfigure_fake,                \
        .close = close_fake, .refines = true,                                  \
    }

const struct ph_encoder_ops ph_fake_encoder = FAKE("fake");
const struct ph_encoder_ops ph_fake_stiff = FAKE("stiff");
const struct ph_encoder_ops ph_fake_absent = FAKE("absent");
const struct ph_encoder_ops ph_fake_holds = FAKE("holds");
const struct ph_encoder_ops ph_fake_no_idr = FAKE("no-idr");
const struct ph_encoder_ops ph_fake_bare = FAKE("bare");
const struct ph_encoder_ops ph_fake_fails = FAKE("fails");
