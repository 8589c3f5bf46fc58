/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libx264 through libavcodec. Measured on desktop content: quality by CRF,
 * the rate bounded by a VBV of one second (a shorter one blurs the first
 * frame); the wide umh search finds scrolled text, which the default one
 * pays for with twenty times the bits.
 */
#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/macros.h"
#include "hostd/encoder.h"

#define LOG_MODULE "encoder"
#include "common/log.h"

struct avcodec_encoder {
    struct ph_encoder base;
    AVCodecContext *context;
    AVFrame *frame;
    AVPacket *packet;
    int64_t first_pts; /* ns */
    int64_t last_pts; /* µs since first_pts */
};

/* Endless GOP: a keyframe comes when somebody asks for it. */
enum {
    ENDLESS = 1 << 30
};

static void close_encoder(struct ph_encoder *encoder)
{
    struct avcodec_encoder *e = (struct avcodec_encoder *)encoder;
    avcodec_free_context(&e->context);
    av_frame_free(&e->frame);
    av_packet_free(&e->packet);
    free(e);
}

static void set_rate(AVCodecContext *c, uint32_t bitrate)
{
    c->rc_max_rate = bitrate;
    c->rc_buffer_size = (int)bitrate; /* one second */
}

static AVCodecContext *new_context(
        const AVCodec *codec, const struct ph_encoder_config *config)
{
    AVCodecContext *c = avcodec_alloc_context3(codec);
    if (!c) {
        return NULL;
    }
    c->width = (int)config->width;
    c->height = (int)config->height;
    c->pix_fmt = AV_PIX_FMT_NV12;
    c->time_base = (AVRational){1, 1000000};
    c->framerate = (AVRational){(int)config->fps, 1};
    c->gop_size = ENDLESS;
    c->max_b_frames = 0;
    c->thread_count = 1;
    c->flags |= AV_CODEC_FLAG_LOW_DELAY;
    c->colorspace = config->colour.matrix;
    c->color_primaries = config->colour.primaries;
    c->color_trc = config->colour.transfer;
    c->color_range =
            config->colour.full_range ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
    set_rate(c, config->bitrate);
    av_opt_set(c->priv_data, "preset", "ultrafast", 0);
    av_opt_set(c->priv_data, "tune", "zerolatency", 0);
    av_opt_set(c->priv_data, "crf", "23", 0);
    av_opt_set(c->priv_data, "forced-idr", "1", 0);
    av_opt_set(c->priv_data, "x264-params", "me=umh:merange=128", 0);
    return c;
}

static struct ph_encoder *open_libx264(
        const struct ph_encoder_config *config, char *error, size_t size)
{
    const AVCodec *codec = avcodec_find_encoder_by_name("libx264");
    if (!codec) {
        snprintf(error, size, "this libavcodec has no libx264");
        return NULL;
    }
    struct avcodec_encoder *e = ph_xcalloc(1, sizeof(*e));
    e->base.ops = &ph_encoder_libx264;
    e->first_pts = INT64_MIN;
    e->context = new_context(codec, config);
    e->frame = av_frame_alloc();
    e->packet = av_packet_alloc();
    if (!e->context || !e->frame || !e->packet) {
        snprintf(error, size, "out of memory");
        goto fail;
    }
    int err = avcodec_open2(e->context, codec, NULL);
    if (err < 0) {
        snprintf(error, size, "libx264 at %ux%u: %s", config->width,
                config->height, av_err2str(err));
        goto fail;
    }
    return &e->base;
fail:
    close_encoder(&e->base);
    return NULL;
}

/* The memory is the caller's; libavcodec only refers to it. */
static void keep_memory(void *opaque, uint8_t *data)
{
}

static bool fill_frame(
        struct avcodec_encoder *e, const struct ph_encoder_input *in)
{
    AVFrame *f = e->frame;
    const struct ph_nv12 *p = in->picture;
    av_frame_unref(f);
    f->format = AV_PIX_FMT_NV12;
    f->width = e->context->width;
    f->height = e->context->height;
    for (int i = 0; i < 2; i++) {
        f->data[i] = p->plane[i];
        f->linesize[i] = (int)p->stride[i];
        size_t bytes = (size_t)p->stride[i] * p->height / (i ? 2 : 1);
        f->buf[i] = av_buffer_create(
                p->plane[i], bytes, keep_memory, NULL, AV_BUFFER_FLAG_READONLY);
        if (!f->buf[i]) {
            return false;
        }
    }
    if (e->first_pts == INT64_MIN) {
        e->first_pts = in->pts;
        e->last_pts = -1;
    }
    int64_t pts = (in->pts - e->first_pts) / 1000;
    e->last_pts = PH_MAX(pts, e->last_pts + 1); /* must grow */
    f->pts = e->last_pts;
    f->pict_type = in->keyframe ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    return true;
}

static enum ph_encoder_result encode(struct ph_encoder *encoder,
        const struct ph_encoder_input *in, struct ph_encoder_output *out)
{
    struct avcodec_encoder *e = (struct avcodec_encoder *)encoder;
    av_packet_unref(e->packet);
    int err = fill_frame(e, in) ? avcodec_send_frame(e->context, e->frame)
                                : AVERROR(ENOMEM);
    av_frame_unref(e->frame);
    if (err >= 0) {
        err = avcodec_receive_packet(e->context, e->packet);
    }
    if (err == AVERROR(EAGAIN)) {
        return PH_ENCODER_HELD;
    }
    if (err < 0) {
        LOG_ERR("libx264: %s", av_err2str(err));
        return PH_ENCODER_FAILED;
    }
    out->data = e->packet->data;
    out->size = (size_t)e->packet->size;
    out->keyframe = e->packet->flags & AV_PKT_FLAG_KEY;
    return PH_ENCODER_OK;
}

/* libavcodec hands a changed rate to libx264 with the next frame. */
static bool set_bitrate(struct ph_encoder *encoder, uint32_t bitrate)
{
    struct avcodec_encoder *e = (struct avcodec_encoder *)encoder;
    set_rate(e->context, bitrate);
    return true;
}

const struct ph_encoder_ops ph_encoder_libx264 = {
        .name = "libx264",
        .what = "H.264 in software, by libavcodec",
        .open = open_libx264,
        .encode = encode,
        .set_bitrate = set_bitrate,
        .close = close_encoder,
};
