/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "decode.h"

#include <libavcodec/avcodec.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

struct decoder {
    AVCodecContext *context;
    AVPacket *packet;
    AVFrame *frame;
};

static struct decoder *create(bool patient)
{
    struct decoder *d = ph_xcalloc(1, sizeof(*d));
    const AVCodec *codec = avcodec_find_decoder(AV_CODEC_ID_H264);
    d->context = avcodec_alloc_context3(codec);
    if (patient) {
        d->context->strict_std_compliance = FF_COMPLIANCE_STRICT;
    } else {
        d->context->flags |= AV_CODEC_FLAG_LOW_DELAY;
    }
    d->context->thread_count = 1;
    d->packet = av_packet_alloc();
    d->frame = av_frame_alloc();
    if (avcodec_open2(d->context, codec, NULL) < 0) {
        decoder_destroy(d);
        return NULL;
    }
    return d;
}

struct decoder *decoder_create(void)
{
    return create(false);
}

struct decoder *decoder_create_patient(void)
{
    return create(true);
}

void decoder_destroy(struct decoder *d)
{
    av_frame_free(&d->frame);
    av_packet_free(&d->packet);
    avcodec_free_context(&d->context);
    free(d);
}

bool decoder_push(struct decoder *d, const uint8_t *data, size_t size)
{
    if (av_new_packet(d->packet, (int)size) < 0) {
        return false;
    }
    memcpy(d->packet->data, data, size);
    /* One in, one out; asking for a second one would drop the first. */
    bool got = avcodec_send_packet(d->context, d->packet) == 0 &&
            avcodec_receive_frame(d->context, d->frame) == 0;
    av_packet_unref(d->packet);
    return got;
}

bool decoder_pixel(struct decoder *d, uint32_t x, uint32_t y, uint8_t out[3])
{
    const AVFrame *f = d->frame;
    if (!f->data[0] || x >= (uint32_t)f->width || y >= (uint32_t)f->height) {
        return false;
    }
    for (int plane = 0; plane < 3; plane++) {
        uint32_t shift = plane > 0;
        out[plane] = f->data[plane][(int)(y >> shift) * f->linesize[plane] +
                (int)(x >> shift)];
    }
    return true;
}

void decoder_size(struct decoder *d, uint32_t *width, uint32_t *height)
{
    *width = (uint32_t)d->frame->width;
    *height = (uint32_t)d->frame->height;
}
