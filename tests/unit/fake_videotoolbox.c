/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stands in for Apple's frameworks: the symbols of hostd/videotoolbox.h, over
 * libx264. As there, access units come on a thread of its own, in AVCC, with
 * parameter sets only in the format description, and nothing in the SPS about
 * reordering or colour. What a real one would refuse is refused.
 * FAKE_VIDEOTOOLBOX, read when a session is made, says what goes wrong:
 *   holds      a frame comes out with the next one
 *   hangs      the third frame never comes out, and completing it never ends
 *   fails      the third frame is refused; fails-late: in the callback
 *   drops      the third frame is dropped
 *   deaf       no keyframe when one is asked for
 *   garbage    another picture than the one that was given
 *   poor       no session at all
 */
#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/macros.h"
#include "proto/h264_bits.h"

#include "fake_videotoolbox.h"

enum {
    BAD_FRAME = 3
};

struct frame {
    struct object *image;
    void *context;
    bool force;
};

struct session {
    struct object base;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    bool quit;
    bool busy;
    bool has_frame;
    struct frame frame;
    unsigned count;
    char mode[16];
    ph_vt_callback *callback;
    void *callback_context;
    int64_t bitrate;
    int64_t limit; /* bytes a second */
    const struct object *properties[16]; /* key, value */
    size_t property_count;
    AVCodecContext *codec;
    AVFrame *picture;
    AVPacket *packet;
    struct frame held;
};

/* --- encoding --- */

static const struct object *property(const struct session *s, const void *key)
{
    for (size_t i = 0; i + 1 < s->property_count; i += 2) {
        if (s->properties[i] == key) {
            return s->properties[i + 1];
        }
    }
    return NULL;
}

static bool open_codec(struct session *s)
{
    const AVCodec *codec = avcodec_find_encoder_by_name("libx264");
    AVCodecContext *c = avcodec_alloc_context3(codec);
    av_log_set_level(AV_LOG_ERROR);
    s->codec = c;
    s->picture = av_frame_alloc();
    s->packet = av_packet_alloc();
    c->width = (int)s->base.width;
    c->height = (int)s->base.height;
    c->pix_fmt = AV_PIX_FMT_NV12;
    c->time_base = (AVRational){1, 60};
    c->thread_count = 1;
    c->gop_size = 1 << 30;
    c->rc_max_rate = s->limit * 8;
    c->rc_buffer_size = (int)(s->limit * 8);
    av_opt_set(c->priv_data, "preset", "ultrafast", 0);
    av_opt_set(c->priv_data, "tune", "zerolatency", 0);
    av_opt_set(c->priv_data, "crf", "23", 0);
    av_opt_set(c->priv_data, "forced-idr", "1", 0);
    return avcodec_open2(c, codec, NULL) == 0;
}

/* Cut off before its VUI. */
static void cut_sps(struct sample *out, const struct ph_h264_nal *nal)
{
    uint8_t rbsp[PH_H264_MAX_SET];
    uint8_t cut[PH_H264_MAX_SET];
    struct ph_h264_sps sps;
    struct ph_h264_sps_layout at;
    size_t len = 0;
    size_t n = ph_h264_unescape(nal->data + 1, nal->size - 1, rbsp);
    if (!ph_h264_read_sps(rbsp, n, &sps, &at)) {
        abort();
    }
    struct ph_h264_bits in = {rbsp, n * 8, 0, true};
    struct ph_h264_bit_writer w = {cut, sizeof(cut) * 8, 0, true};
    while (in.pos < at.vui) {
        ph_h264_put(&w, 1, ph_h264_get(&in, 1));
    }
    ph_h264_put(&w, 2, 1); /* no VUI; the stop bit */
    while (w.pos % 8) {
        ph_h264_put(&w, 1, 0);
    }
    out->sets[0][0] = 0x27;
    ph_h264_escape(
            cut, w.pos / 8, out->sets[0] + 1, sizeof(out->sets[0]) - 1, &len);
    out->set_size[0] = len + 1;
}

static void make_sample(
        struct sample *out, const AVPacket *packet, struct sample *description)
{
    struct ph_h264_nal nal;
    size_t pos = 0;
    size_t in_size = (size_t)packet->size;
    out->data = ph_xcalloc(1, in_size * 2);
    while (ph_h264_next_nal(packet->data, in_size, &pos, &nal)) {
        if (nal.type == PH_H264_SPS) {
            cut_sps(description, &nal);
        } else if (nal.type == PH_H264_PPS) {
            memcpy(description->sets[1], nal.data, nal.size);
            description->set_size[1] = nal.size;
        } else {
            for (int i = FAKE_LENGTH_SIZE - 1; i >= 0; i--) {
                out->data[out->size++] = (uint8_t)(nal.size >> 8 * i);
            }
            memcpy(out->data + out->size, nal.data, nal.size);
            out->size += nal.size;
        }
    }
    memcpy(out->sets, description->sets, sizeof(out->sets));
    memcpy(out->set_size, description->set_size, sizeof(out->set_size));
}

static bool is(const struct session *s, const char *mode)
{
    return strcmp(s->mode, mode) == 0;
}

static void encode(
        struct session *s, const struct frame *f, struct sample *description)
{
    AVFrame *p = s->picture;
    p->format = AV_PIX_FMT_NV12;
    p->width = (int)s->base.width;
    p->height = (int)s->base.height;
    for (size_t i = 0; i < 2; i++) {
        p->data[i] =
                f->image->memory + i * fake_stride(f->image) * f->image->height;
        p->linesize[i] = (int)fake_stride(f->image);
    }
    if (is(s, "garbage")) { /* a driver that mistakes one plane for another */
        p->data[1] = p->data[0];
    }
    p->pts = s->count;
    p->pict_type = f->force && !is(s, "deaf") ? AV_PICTURE_TYPE_I
                                              : AV_PICTURE_TYPE_NONE;
    s->codec->rc_max_rate = s->limit * 8;
    s->codec->rc_buffer_size = (int)(s->limit * 8);
    bool bad = s->count == BAD_FRAME;
    if (bad && is(s, "fails-late")) {
        s->callback(s->callback_context, f->context, FAKE_MALFUNCTION, 0, NULL);
        return;
    }
    if (bad && is(s, "drops")) {
        s->callback(s->callback_context, f->context, 0, PH_VT_DROPPED, NULL);
        return;
    }
    if (avcodec_send_frame(s->codec, p) < 0 ||
            avcodec_receive_packet(s->codec, s->packet) < 0) {
        abort();
    }
    struct sample sample = {0};
    make_sample(&sample, s->packet, description);
    s->callback(s->callback_context, f->context, 0, 1, &sample);
    free(sample.data);
    av_packet_unref(s->packet);
}

static void work(struct session *s, struct frame f, struct sample *description)
{
    if (is(s, "holds")) {
        struct frame before = s->held;
        s->held = f;
        f = before;
    }
    if (f.image) {
        encode(s, &f, description);
        CFRelease(f.image);
    }
}

static void *run(void *data)
{
    struct session *s = data;
    struct sample description = {0};
    pthread_mutex_lock(&s->lock);
    while (!s->quit) {
        if (!s->has_frame) {
            pthread_cond_wait(&s->changed, &s->lock);
            continue;
        }
        if (is(s, "hangs") && s->count == BAD_FRAME) {
            for (;;) {
                pthread_cond_wait(&s->changed, &s->lock); /* for ever */
            }
        }
        s->has_frame = false;
        s->busy = true;
        struct frame f = s->frame;
        pthread_mutex_unlock(&s->lock);
        work(s, f, &description);
        pthread_mutex_lock(&s->lock);
        s->busy = false;
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* --- VideoToolbox --- */

static void finish_session(struct object *object)
{
    struct session *s = (struct session *)object;
    avcodec_free_context(&s->codec);
    av_frame_free(&s->picture);
    av_packet_free(&s->packet);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
}

/* NOLINTNEXTLINE(readability-function-size): Apple's */
int32_t VTCompressionSessionCreate(const void *allocator, int32_t width,
        int32_t height, uint32_t codec, const void *specification,
        const void *attributes, const void *data_allocator,
        ph_vt_callback *callback, void *context, void **out)
{
    const char *mode = getenv("FAKE_VIDEOTOOLBOX");
    const struct object *format =
            fake_lookup(attributes, kCVPixelBufferPixelFormatTypeKey);
    if ((mode && strcmp(mode, "poor") == 0) || codec != PH_VT_H264 || !format ||
            format->integer != PH_VT_NV12 || width < 64 || height < 64) {
        return FAKE_BAD_PARAMETER;
    }
    struct session *s = ph_xcalloc(1, sizeof(*s));
    s->base.type = FAKE_SESSION;
    s->base.refs = 1;
    s->base.finish = finish_session;
    s->callback = callback;
    s->callback_context = context;
    s->base.width = (size_t)width;
    s->base.height = (size_t)height;
    memcpy(s->mode, mode ? mode : "", mode ? strlen(mode) + 1 : 1);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    pthread_create(&s->thread, NULL, run, s);
    *out = s;
    return 0;
}

int32_t VTSessionSetProperty(void *session, const void *key, const void *value)
{
    struct session *s = session;
    const struct object *v = value;
    if (key == kVTCompressionPropertyKey_AverageBitRate) {
        s->bitrate = v->integer;
    } else if (key == kVTCompressionPropertyKey_DataRateLimits) {
        if (v->count != 2 || v->entries[1]->real != 1.0) {
            return FAKE_BAD_PARAMETER;
        }
        s->limit = v->entries[0]->integer;
    } else if (key == kVTCompressionPropertyKey_ExpectedFrameRate ||
            key == kVTCompressionPropertyKey_MaxKeyFrameInterval) {
        return v->integer > 0 ? 0 : FAKE_BAD_PARAMETER;
    } else if (s->property_count + 2 <= PH_LEN(s->properties)) {
        s->properties[s->property_count++] = key;
        s->properties[s->property_count++] = value;
    } else {
        return FAKE_NOT_SUPPORTED;
    }
    return 0;
}

int32_t VTCompressionSessionPrepareToEncodeFrames(void *session)
{
    return 0;
}

void *VTCompressionSessionGetPixelBufferPool(void *session)
{
    return session;
}

/* Everything that a stream in real time needs was asked for. */
static bool is_set_up(const struct session *s, const struct object *image)
{
    const void *const keys[] = {kVTCompressionPropertyKey_ColorPrimaries,
            kVTCompressionPropertyKey_TransferFunction,
            kVTCompressionPropertyKey_YCbCrMatrix};
    bool ok =
            property(s, kVTCompressionPropertyKey_RealTime) == kCFBooleanTrue &&
            property(s, kVTCompressionPropertyKey_AllowFrameReordering) ==
                    kCFBooleanFalse &&
            property(s, kVTCompressionPropertyKey_ProfileLevel) &&
            s->bitrate > 0 && s->limit > 0 && image->integer == 0;
    for (size_t i = 0; i < PH_LEN(keys); i++) {
        const struct object *wanted = property(s, keys[i]);
        ok = ok && wanted && wanted == image->colour[i];
    }
    return ok;
}

int32_t VTCompressionSessionEncodeFrame(void *session, void *image,
        struct ph_vt_time time, struct ph_vt_time duration,
        const void *properties, void *context, uint32_t *flags)
{
    struct session *s = session;
    if (!(time.flags & 1) || time.timescale <= 0 || duration.flags ||
            !is_set_up(s, image) || (!s->codec && !open_codec(s))) {
        return FAKE_BAD_PARAMETER;
    }
    const struct object *force =
            fake_lookup(properties, kVTEncodeFrameOptionKey_ForceKeyFrame);
    pthread_mutex_lock(&s->lock);
    s->count++;
    bool refused = s->count == BAD_FRAME && is(s, "fails");
    if (!refused) {
        s->frame = (struct frame){
                fake_retain(image), context, force == kCFBooleanTrue};
        s->has_frame = true;
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
    *flags = 1;
    return refused ? FAKE_MALFUNCTION : 0;
}

int32_t VTCompressionSessionCompleteFrames(
        void *session, struct ph_vt_time until)
{
    struct session *s = session;
    pthread_mutex_lock(&s->lock);
    while (s->has_frame || s->busy) {
        pthread_cond_wait(&s->changed, &s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return until.flags ? FAKE_BAD_PARAMETER : 0;
}

void VTCompressionSessionInvalidate(void *session)
{
    struct session *s = session;
    pthread_mutex_lock(&s->lock);
    s->quit = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    if (s->held.image) {
        CFRelease(s->held.image);
        s->held.image = NULL;
    }
}
