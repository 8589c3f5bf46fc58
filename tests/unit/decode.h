/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Decodes access units with libavcodec, one in and its picture out, and says
 * how far a picture is from another.
 */
#pragma once

#include <libavcodec/avcodec.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "video/pixels.h"

#include "check.h"

struct decoder {
    AVCodecContext *context;
    AVFrame *frame;
    AVPacket *packet;
};

static inline struct decoder decoder_open(void)
{
    const AVCodec *codec = avcodec_find_decoder(AV_CODEC_ID_H264);
    struct decoder d = {
            avcodec_alloc_context3(codec), av_frame_alloc(), av_packet_alloc()};
    d.context->flags |= AV_CODEC_FLAG_LOW_DELAY;
    d.context->thread_count = 1;
    CHECK(avcodec_open2(d.context, codec, NULL) == 0);
    return d;
}

static inline void decoder_close(struct decoder *d)
{
    avcodec_free_context(&d->context);
    av_frame_free(&d->frame);
    av_packet_free(&d->packet);
}

/* The picture of this access unit is in d->frame; false: none came. */
static inline int decoder_run(
        struct decoder *d, const uint8_t *data, size_t size)
{
    if (!CHECK(av_new_packet(d->packet, (int)size) == 0)) {
        return 0;
    }
    memcpy(d->packet->data, data, size);
    int sent = avcodec_send_packet(d->context, d->packet);
    av_packet_unref(d->packet);
    return CHECK_EQ(sent, 0) &&
            CHECK_EQ(avcodec_receive_frame(d->context, d->frame), 0);
}

struct psnr {
    double y;
    double u;
    double v;
};

static inline double psnr_of(double squares, size_t count)
{
    return squares == 0 ? 99
                        : 10 * log10(255.0 * 255.0 * (double)count / squares);
}

/* The decoded picture (4:2:0 in three planes) against an NV12 one, over
 * width x height from its top left corner. */
static inline struct psnr decoder_psnr(const struct decoder *d,
        const struct ph_nv12 *want, uint32_t width, uint32_t height)
{
    double sum[3] = {0};
    const AVFrame *f = d->frame;
    for (uint32_t y = 0; y < height; y++) {
        for (uint32_t x = 0; x < width; x++) {
            double e = f->data[0][(size_t)y * (size_t)f->linesize[0] + x] -
                    want->plane[0][(size_t)y * want->stride[0] + x];
            sum[0] += e * e;
        }
    }
    for (uint32_t y = 0; y < height / 2; y++) {
        for (uint32_t x = 0; x < width / 2; x++) {
            for (int c = 1; c <= 2; c++) {
                size_t at = (size_t)y * (size_t)f->linesize[c] + x;
                double e = f->data[c][at] -
                        want->plane[1][(size_t)y * want->stride[1] + 2 * x +
                                (unsigned)c - 1];
                sum[c] += e * e;
            }
        }
    }
    size_t luma = (size_t)width * height;
    size_t chroma = (size_t)(width / 2) * (height / 2);
    return (struct psnr){psnr_of(sum[0], luma), psnr_of(sum[1], chroma),
            psnr_of(sum[2], chroma)};
}
