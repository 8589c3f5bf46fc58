/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The encoders of libavcodec. Each is a row at the end of this file: the name
 * of the codec and its options.
 */
#include <libavcodec/avcodec.h>
#include <libavutil/dict.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/macros.h"
#include "hostd/encoder_adapt.h"
#include "hostd/encoder_device.h"

#define LOG_MODULE "encoder"
#include "common/log.h"

struct avcodec_encoder {
    struct ph_encoder base;
    AVCodecContext *context;
    AVFrame *frame;
    AVFrame *surface; /* the frame in the memory of a device */
    AVPacket *packet;
    struct ph_encoder_config config;
    struct ph_adapt adapt;
    int64_t count; /* of frames: their time stamps */
};

/* What this thread's libavcodec said first while it opened an encoder: why it
 * could not. */
static _Thread_local struct {
    bool on;
    char text[120];
} opening;

/* libavcodec's log is ours. What it calls information is for those who look
 * for something. */
static void on_av_log(void *context, int level, const char *fmt, va_list ap)
{
    enum ph_log_level ours =
            level <= AV_LOG_WARNING ? PH_LOG_WARN : PH_LOG_DEBUG;
    bool why = opening.on && level <= AV_LOG_ERROR;
    char text[512];
    int prefix = !why;
    if (level > AV_LOG_INFO || (!why && !ph_log_enabled(ours))) {
        return;
    }
    av_log_format_line2(context, level, fmt, ap, text, sizeof(text), &prefix);
    text[strcspn(text, "\n")] = 0;
    if (!why) {
        PH_LOG(ours, "%s", text);
    } else if (!opening.text[0]) {
        snprintf(opening.text, sizeof(opening.text), "%.119s", text);
    }
}

static void redirect_log(void)
{
    av_log_set_callback(on_av_log);
}

/* Endless GOP: a keyframe comes when somebody asks for it. */
enum {
    ENDLESS = 1 << 30
};

static void close_encoder(struct ph_encoder *encoder)
{
    struct avcodec_encoder *e = (struct avcodec_encoder *)encoder;
    avcodec_free_context(&e->context);
    av_frame_free(&e->frame);
    av_frame_free(&e->surface);
    av_packet_free(&e->packet);
    ph_adapt_finish(&e->adapt);
    free(e);
}

/* An average below the most: a rate that varies. Where quality is what is
 * asked for (crf, cq), it does not count. */
static void set_rate(AVCodecContext *c, uint32_t bitrate)
{
    c->bit_rate = (int64_t)bitrate * 3 / 4;
    c->rc_max_rate = bitrate;
    c->rc_buffer_size = (int)bitrate; /* one second */
}

/* One frame a tick, whenever it comes: what a frame may cost follows from fps
 * and not from a guest's clock. With real time stamps x264 (vfr-input) would
 * keep each frame until it knows how long that lasts. */
static AVCodecContext *new_context(
        const AVCodec *codec, const struct avcodec_encoder *e)
{
    const struct ph_encoder_config *config = &e->config;
    AVCodecContext *c = avcodec_alloc_context3(codec);
    if (!c) {
        return NULL;
    }
    c->width = (int)e->adapt.width;
    c->height = (int)e->adapt.height;
    c->pix_fmt = AV_PIX_FMT_NV12;
    c->framerate = (AVRational){(int)config->fps, 1};
    c->time_base = av_inv_q(c->framerate);
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
    return c;
}

static const char *profile_name(uint8_t profile)
{
    switch (profile) {
    case 66:
        return "baseline";
    case 77:
        return "main";
    case 100:
        return "high";
    default:
        return NULL;
    }
}

static int open_context(struct avcodec_encoder *e, const AVCodec *codec,
        const struct ph_encoder_ops *row)
{
    AVDictionary *options = NULL;
    const char *profile = profile_name(e->config.profile);
    int err = av_dict_parse_string(&options, row->options, "=", ":", 0);
    if (err >= 0 && row->device) {
        if (e->config.profile) {
            e->context->profile = e->config.profile;
        }
        err = ph_device_attach(e->context, row->device);
        if (err < 0 && !opening.text[0]) {
            snprintf(opening.text, sizeof(opening.text), "no %s device: %s",
                    row->device, av_err2str(err));
        }
    } else if (err >= 0 && profile) {
        err = av_dict_set(&options, "profile", profile, 0);
    }
    if (err >= 0) {
        err = avcodec_open2(e->context, codec, &options);
    }
    const AVDictionaryEntry *unknown =
            av_dict_get(options, "", NULL, AV_DICT_IGNORE_SUFFIX);
    if (err >= 0 && unknown) {
        LOG_WARN("this libavcodec has no option '%s' for %s", unknown->key,
                row->codec);
    }
    av_dict_free(&options);
    return err;
}

static struct ph_encoder *open_encoder(const struct ph_encoder_ops *row,
        const struct ph_encoder_config *config, char *error, size_t size)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, redirect_log);
    const AVCodec *codec = avcodec_find_encoder_by_name(row->codec);
    if (!codec) {
        snprintf(error, size, "this libavcodec has no %s", row->codec);
        return NULL;
    }
    struct avcodec_encoder *e = ph_xcalloc(1, sizeof(*e));
    e->base.ops = row;
    e->config = *config;
    bool room = ph_adapt_init(&e->adapt, config, row->least);
    e->context = new_context(codec, e);
    e->frame = av_frame_alloc();
    e->surface = av_frame_alloc();
    e->packet = av_packet_alloc();
    if (!room || !e->context || !e->frame || !e->surface || !e->packet) {
        snprintf(error, size, "out of memory");
        goto fail;
    }
    opening.text[0] = 0;
    opening.on = true;
    int err = open_context(e, codec, row);
    opening.on = false;
    if (err < 0) {
        snprintf(error, size, "%s at %ux%u: %s", row->codec, config->width,
                config->height,
                opening.text[0] ? opening.text : av_err2str(err));
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
    const struct ph_nv12 *p = ph_adapt_picture(&e->adapt, in->picture);
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
    f->pts = e->count++;
    f->pict_type = in->keyframe ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    return true;
}

static int send_frame(
        struct avcodec_encoder *e, const struct ph_encoder_input *in)
{
    AVFrame *frame = e->frame;
    if (!fill_frame(e, in)) {
        return AVERROR(ENOMEM);
    }
    if (e->base.ops->device) {
        int err = ph_device_upload(e->context, e->frame, e->surface);
        if (err < 0) {
            return err;
        }
        frame = e->surface;
    }
    return avcodec_send_frame(e->context, frame);
}

static enum ph_encoder_result encode(struct ph_encoder *encoder,
        const struct ph_encoder_input *in, struct ph_encoder_output *out)
{
    struct avcodec_encoder *e = (struct avcodec_encoder *)encoder;
    av_packet_unref(e->packet);
    int err = send_frame(e, in);
    av_frame_unref(e->frame);
    av_frame_unref(e->surface);
    if (err >= 0) {
        err = avcodec_receive_packet(e->context, e->packet);
    }
    if (err == AVERROR(EAGAIN)) {
        return PH_ENCODER_HELD;
    }
    if (err < 0) {
        LOG_ERR("%s: %s", encoder->ops->codec, av_err2str(err));
        return PH_ENCODER_FAILED;
    }
    if (!ph_adapt_unit(
                &e->adapt, e->packet->data, (size_t)e->packet->size, out)) {
        LOG_ERR("%s: its access unit cannot be read", encoder->ops->codec);
        return PH_ENCODER_FAILED;
    }
    return PH_ENCODER_OK;
}

/* libx264 and nvenc look at the rate before each frame (libavcodec/libx264.c
 * and nvenc.c: reconfig_encoder). */
static enum ph_encoder_change reconfigure_live(
        struct ph_encoder *encoder, const struct ph_encoder_config *config)
{
    struct avcodec_encoder *e = (struct avcodec_encoder *)encoder;
    if (config->fps != e->config.fps || config->profile != e->config.profile) {
        return PH_ENCODER_REOPEN;
    }
    e->config.bitrate = config->bitrate;
    set_rate(e->context, config->bitrate);
    return PH_ENCODER_LIVE;
}

static enum ph_encoder_change reopen(
        struct ph_encoder *encoder, const struct ph_encoder_config *config)
{
    return PH_ENCODER_REOPEN;
}

#define FUNCTIONS(change)                                                      \
    .open = open_encoder, .encode = encode, .reconfigure = (change),           \
    .close = close_encoder

/* The rows below: what each option does is in FFmpeg's doc/encoders.texi under
 * the encoder's name, and in the file of libavcodec/ that is named. B-frames
 * (bf=0) and low delay are set for all above. Quality is constant where that
 * can be had together with a bound of the rate. */

/* nvenc_h264.c, nvenc.c. delay=0 and zerolatency=1: the packet comes with its
 * frame. forced-idr=1: a forced I picture is an IDR. tune=ll: for streams in
 * real time. cq: quality, bounded by the maximal rate. The smallest side is
 * that of NVIDIA's Video Codec SDK for H.264. */
const struct ph_encoder_ops ph_encoder_nvenc = {
        .name = "nvenc",
        .what = "H.264 by NVIDIA's NVENC",
        .codec = "h264_nvenc",
        .hardware = true,
        .options = "tune=ll:rc=vbr:cq=23:delay=0:zerolatency=1:forced-idr=1",
        .least = 160,
        FUNCTIONS(reconfigure_live),
};

/* vaapi_encode_h264.c, vaapi_encode.c. async_depth=1: one picture at a time. A
 * forced I picture is always an IDR (vaapi_encode.c: force_idr). sei=0: nothing
 * beside the picture. No side of less than a few macroblocks is taken by any
 * driver, and by some none of less than 128. */
const struct ph_encoder_ops ph_encoder_vaapi = {
        .name = "vaapi",
        .what = "H.264 by VA-API (AMD, Intel)",
        .codec = "h264_vaapi",
        .hardware = true,
        .options = "async_depth=1:sei=0",
        .device = "vaapi",
        .least = 128,
        FUNCTIONS(reopen),
};

/* qsvenc_h264.c, qsvenc.c. async_depth=1 and forced_idr=1 as above;
 * look_ahead=0 since that would keep pictures. g: its GOP has 16 bits, and our
 * endless one would be 0 there, which lets the driver choose. */
const struct ph_encoder_ops ph_encoder_qsv = {
        .name = "qsv",
        .what = "H.264 by Intel's Quick Sync",
        .codec = "h264_qsv",
        .hardware = true,
        .options = "async_depth=1:forced_idr=1:look_ahead=0:g=65535",
        .least = 128,
        FUNCTIONS(reopen),
};

/* libx264.c; the values are libx264's own (x264 --fullhelp). Measured on
 * desktop content: quality by CRF, the rate bounded by a VBV of one second (a
 * shorter one blurs the first frame); the wide umh search finds scrolled text,
 * which the default one pays for with twenty times the bits. */
const struct ph_encoder_ops ph_encoder_libx264 = {
        .name = "libx264",
        .what = "H.264 in software, by libavcodec",
        .codec = "libx264",
        .options = "preset=ultrafast:tune=zerolatency:crf=23"
                   ":motion-est=umh:me_range=128:forced-idr=1",
        FUNCTIONS(reconfigure_live),
};
