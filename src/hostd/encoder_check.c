/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostd/encoder_check.h"

#include <libavcodec/avcodec.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

struct ph_encoder_check {
    AVCodecContext *context;
    AVPacket *packet;
    AVFrame *frame;
};

/* Squared, a value: 28 dB, which is coarse for an encoder and far from what
 * another picture gives. */
enum {
    ERROR_MOST = 103
};

struct ph_encoder_check *ph_encoder_check_create(void)
{
    const AVCodec *codec = avcodec_find_decoder(AV_CODEC_ID_H264);
    struct ph_encoder_check *c = ph_xcalloc(1, sizeof(*c));
    c->context = codec ? avcodec_alloc_context3(codec) : NULL;
    c->packet = av_packet_alloc();
    c->frame = av_frame_alloc();
    if (!c->context || !c->packet || !c->frame) {
        goto fail;
    }
    c->context->thread_count = 1;
    /* It keeps pictures back for as long as the stream allows that. */
    c->context->strict_std_compliance = FF_COMPLIANCE_STRICT;
    if (avcodec_open2(c->context, codec, NULL) < 0) {
        goto fail;
    }
    return c;
fail:
    ph_encoder_check_destroy(c);
    return NULL;
}

void ph_encoder_check_destroy(struct ph_encoder_check *c)
{
    if (c) {
        avcodec_free_context(&c->context);
        av_packet_free(&c->packet);
        av_frame_free(&c->frame);
        free(c);
    }
}

static bool decode(
        struct ph_encoder_check *c, const struct ph_encoder_output *unit)
{
    av_packet_unref(c->packet);
    if (av_new_packet(c->packet, (int)unit->size) < 0) {
        return false;
    }
    memcpy(c->packet->data, unit->data, unit->size);
    return avcodec_send_packet(c->context, c->packet) == 0 &&
            avcodec_receive_frame(c->context, c->frame) == 0;
}

/* A plane of the decoded picture against every step-th value of another. */
static bool is_near(const AVFrame *f, int plane, const uint8_t *want,
        uint32_t stride, uint32_t step)
{
    int shift = plane > 0;
    uint64_t sum = 0;
    uint64_t count = 0;
    for (int y = 0; y < f->height >> shift; y++) {
        const uint8_t *a = f->data[plane] + (ptrdiff_t)y * f->linesize[plane];
        const uint8_t *b = want + (size_t)y * stride;
        for (int x = 0; x < f->width >> shift; x++) {
            int d = a[x] - b[(size_t)x * step];
            sum += (uint64_t)(d * d);
            count++;
        }
    }
    return sum <= count * ERROR_MOST;
}

const char *ph_encoder_check_unit(struct ph_encoder_check *c,
        const struct ph_encoder_output *unit, const struct ph_nv12 *p)
{
    if (!decode(c, unit)) {
        return "gives no picture at once";
    }
    const AVFrame *f = c->frame;
    if ((f->format != AV_PIX_FMT_YUV420P && f->format != AV_PIX_FMT_YUVJ420P) ||
            f->width != (int)p->width || f->height != (int)p->height) {
        return "has another size or format";
    }
    bool ok = is_near(f, 0, p->plane[0], p->stride[0], 1) &&
            is_near(f, 1, p->plane[1], p->stride[1], 2) &&
            is_near(f, 2, p->plane[1] + 1, p->stride[1], 2);
    return ok ? NULL : "is another picture";
}
