/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostd/videotoolbox_session.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/macros.h"

#define LOG_MODULE "encoder"
#include "common/log.h"

#define US_PER_S 1000000

enum state {
    IDLE,
    WANTED, /* the image is for the session's thread */
    INSIDE, /* VideoToolbox has it */
    DONE, /* or will have it no more */
};

struct ph_vt_session {
    const struct ph_vt *vt;
    void *session;
    const void *force; /* frame options: ForceKeyFrame */
    uint32_t pixel_format;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned refs; /* its thread, and who made it */

    enum state state;
    bool quit;
    bool ended; /* its thread */
    bool broken; /* it did not answer */
    void *image;
    bool keyframe;
    uintptr_t frame; /* counts: says whose access unit it is */
    int64_t last_us;

    /* About this frame, from VideoToolbox. */
    int32_t status;
    bool came;
    bool dropped;
    uint8_t *data;
    size_t size;
    size_t cap;
    struct ph_adapt adapt;
};

static void unref(struct ph_vt_session *s)
{
    pthread_mutex_lock(&s->lock);
    bool last = --s->refs == 0;
    pthread_mutex_unlock(&s->lock);
    if (!last) {
        return;
    }
    if (s->force) {
        s->vt->CFRelease(s->force);
    }
    if (s->session) {
        s->vt->CFRelease(s->session);
    }
    ph_adapt_finish(&s->adapt);
    free(s->data);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* --- from VideoToolbox, on a thread of its own --- */

static int32_t take_sets_locked(struct ph_vt_session *s, void *sample)
{
    void *format = s->vt->CMSampleBufferGetFormatDescription(sample);
    size_t count = 1;
    for (size_t i = 0; format && i < count; i++) {
        const uint8_t *set = NULL;
        size_t size = 0;
        int length_size = 0;
        int32_t err = s->vt->CMVideoFormatDescriptionGetH264ParameterSetAtIndex(
                format, i, &set, &size, &count, &length_size);
        if (err) {
            return err;
        }
        s->adapt.repair.length_size = (uint8_t)length_size;
        if (!ph_h264_repair_set(&s->adapt.repair, set, size)) {
            LOG_WARN("VideoToolbox: parameter set %zu cannot be read", i);
        }
    }
    return 0;
}

static int32_t take_data_locked(struct ph_vt_session *s, void *sample)
{
    void *block = s->vt->CMSampleBufferGetDataBuffer(sample);
    size_t size = block ? s->vt->CMBlockBufferGetDataLength(block) : 0;
    if (size > PH_HXFR_MAX_ACCESS_UNIT) {
        return -1;
    }
    if (size > s->cap) {
        free(s->data);
        s->cap = size + size / 2;
        s->data = malloc(s->cap);
        s->cap = s->data ? s->cap : 0;
    }
    if (size == 0 || !s->data) {
        return -1;
    }
    s->size = size;
    return s->vt->CMBlockBufferCopyDataBytes(block, 0, size, s->data);
}

static void on_output(void *context, void *frame, int32_t status,
        uint32_t flags, void *sample)
{
    struct ph_vt_session *s = context;
    pthread_mutex_lock(&s->lock);
    /* One that comes when nobody waits for it any more is no use. */
    if (s->state == INSIDE && (uintptr_t)frame == s->frame && !s->came) {
        s->came = true;
        s->dropped = flags & PH_VT_DROPPED || !sample;
        s->status = status;
        if (!status && !s->dropped) {
            s->status = take_sets_locked(s, sample);
        }
        if (!s->status && !s->dropped) {
            s->status = take_data_locked(s, sample);
        }
    }
    pthread_mutex_unlock(&s->lock);
}

/* --- its thread --- */

/* Real times: only with them the bound of the rate holds. */
static struct ph_vt_time next_time(struct ph_vt_session *s)
{
    int64_t now = ph_clock_ns() / PH_NS_PER_US;
    s->last_us = PH_MAX(s->last_us + 1, now);
    return (struct ph_vt_time){s->last_us, US_PER_S, 1, 0};
}

static void encode_wanted_locked(struct ph_vt_session *s)
{
    static const struct ph_vt_time invalid = {0};
    struct ph_vt_time time = next_time(s);
    const void *options = s->keyframe ? s->force : NULL;
    void *image = s->image;
    void *frame = (void *)s->frame;
    uint32_t flags = 0;
    s->image = NULL;
    s->state = INSIDE;
    pthread_mutex_unlock(&s->lock);
    int32_t err = s->vt->VTCompressionSessionEncodeFrame(
            s->session, image, time, invalid, options, frame, &flags);
    if (!err) {
        /* All that was given comes out before this returns. */
        err = s->vt->VTCompressionSessionCompleteFrames(s->session, invalid);
    }
    s->vt->CFRelease(image);
    pthread_mutex_lock(&s->lock);
    s->state = DONE;
    s->status = s->status ? s->status : err;
    s->dropped = s->dropped || flags & PH_VT_DROPPED;
    pthread_cond_broadcast(&s->changed);
}

static void *run(void *data)
{
    struct ph_vt_session *s = data;
    pthread_mutex_lock(&s->lock);
    while (!s->quit) {
        if (s->state == WANTED) {
            encode_wanted_locked(s);
        } else {
            pthread_cond_wait(&s->changed, &s->lock);
        }
    }
    pthread_mutex_unlock(&s->lock);
    s->vt->VTCompressionSessionInvalidate(s->session);
    pthread_mutex_lock(&s->lock);
    s->ended = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    unref(s);
    return NULL;
}

static bool start(struct ph_vt_session *s)
{
    pthread_t thread;
    s->refs++;
    if (pthread_create(&thread, NULL, run, s) != 0) {
        s->refs--;
        return false;
    }
    pthread_detach(thread);
    return true;
}

/* --- for its owner --- */

static const void *new_dictionary(
        const struct ph_vt *vt, const void *key, const void *value)
{
    return vt->CFDictionaryCreate(NULL, &key, &value, 1,
            vt->kCFTypeDictionaryKeyCallBacks,
            vt->kCFTypeDictionaryValueCallBacks);
}

static int32_t create(struct ph_vt_session *s)
{
    const struct ph_vt *vt = s->vt;
    int32_t format = (int32_t)s->pixel_format;
    const void *number = vt->CFNumberCreate(NULL, PH_VT_SINT32, &format);
    const void *attributes =
            new_dictionary(vt, vt->kCVPixelBufferPixelFormatTypeKey, number);
    int32_t err = vt->VTCompressionSessionCreate(NULL, (int32_t)s->adapt.width,
            (int32_t)s->adapt.height, PH_VT_H264, NULL, attributes, NULL,
            on_output, s, &s->session);
    vt->CFRelease(attributes);
    vt->CFRelease(number);
    s->force = new_dictionary(
            vt, vt->kVTEncodeFrameOptionKey_ForceKeyFrame, vt->kCFBooleanTrue);
    return err;
}

struct ph_vt_session *ph_vt_session_create(const struct ph_vt *vt,
        const struct ph_encoder_config *config, uint32_t least, char *error,
        size_t size)
{
    struct ph_vt_session *s = ph_xcalloc(1, sizeof(*s));
    s->vt = vt;
    s->refs = 1;
    s->pixel_format = config->colour.full_range ? PH_VT_NV12_FULL : PH_VT_NV12;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    if (!ph_adapt_init(&s->adapt, config, least)) {
        snprintf(error, size, "out of memory");
        goto fail;
    }
    int32_t err = create(s);
    if (err) {
        snprintf(error, size, "VideoToolbox takes no %ux%u: error %d",
                config->width, config->height, err);
        goto fail;
    }
    if (!start(s)) {
        s->vt->VTCompressionSessionInvalidate(s->session);
        snprintf(error, size, "no thread for VideoToolbox");
        goto fail;
    }
    return s;
fail:
    unref(s);
    return NULL;
}

void ph_vt_session_destroy(struct ph_vt_session *s, int64_t wait_ms)
{
    if (!s) {
        return;
    }
    struct timespec until = ph_clock_wall_ms(s->broken ? 0 : wait_ms);
    pthread_mutex_lock(&s->lock);
    s->quit = true;
    pthread_cond_broadcast(&s->changed);
    while (!s->ended &&
            pthread_cond_timedwait(&s->changed, &s->lock, &until) !=
                    ETIMEDOUT) {
    }
    if (!s->ended) {
        LOG_WARN("VideoToolbox does not come back: its thread is left alone");
    }
    pthread_mutex_unlock(&s->lock);
    unref(s);
}

bool ph_vt_session_set(
        struct ph_vt_session *s, const void *key, const void *value, bool owned)
{
    int32_t err =
            value ? s->vt->VTSessionSetProperty(s->session, key, value) : -1;
    if (err) {
        LOG_DBG("VideoToolbox refuses a property: error %d", err);
    }
    if (value && owned) {
        s->vt->CFRelease(value);
    }
    return err == 0;
}

void ph_vt_session_prepare(struct ph_vt_session *s)
{
    s->vt->VTCompressionSessionPrepareToEncodeFrames(s->session);
}

static int32_t new_image(struct ph_vt_session *s, void **image)
{
    void *pool = s->vt->VTCompressionSessionGetPixelBufferPool(s->session);
    return pool ? s->vt->CVPixelBufferPoolCreatePixelBuffer(NULL, pool, image)
                : s->vt->CVPixelBufferCreate(NULL, s->adapt.width,
                          s->adapt.height, s->pixel_format, NULL, image);
}

void *ph_vt_session_image(
        struct ph_vt_session *s, const struct ph_nv12 *picture)
{
    const struct ph_vt *vt = s->vt;
    void *image = NULL;
    int32_t err = new_image(s, &image);
    if (!err) {
        err = vt->CVPixelBufferLockBaseAddress(image, 0);
    }
    if (err) {
        LOG_ERR("VideoToolbox gives no buffer: error %d", err);
        if (image) {
            vt->CFRelease(image);
        }
        return NULL;
    }
    struct ph_nv12 to = {.width = s->adapt.width, .height = s->adapt.height};
    for (size_t i = 0; i < 2; i++) {
        to.plane[i] = vt->CVPixelBufferGetBaseAddressOfPlane(image, i);
        to.stride[i] =
                (uint32_t)vt->CVPixelBufferGetBytesPerRowOfPlane(image, i);
    }
    ph_pixels_copy_nv12(ph_adapt_picture(&s->adapt, picture), &to,
            (struct ph_rect){0, 0, (uint16_t)to.width, (uint16_t)to.height});
    vt->CVPixelBufferUnlockBaseAddress(image, 0);
    return image;
}

/* False: it was not done with the frame in time. */
static bool wait_locked(struct ph_vt_session *s, int64_t wait_ms)
{
    struct timespec until = ph_clock_wall_ms(wait_ms);
    int err = 0;
    while (s->state != DONE && err != ETIMEDOUT) {
        err = pthread_cond_timedwait(&s->changed, &s->lock, &until);
    }
    return s->state == DONE;
}

static enum ph_encoder_result finish(
        struct ph_vt_session *s, struct ph_encoder_output *out)
{
    if (s->status) {
        LOG_ERR("VideoToolbox: error %d", s->status);
        return PH_ENCODER_FAILED;
    }
    if (s->dropped) {
        LOG_ERR("VideoToolbox dropped the frame");
        return PH_ENCODER_FAILED;
    }
    if (!s->came) {
        return PH_ENCODER_HELD;
    }
    if (!ph_adapt_unit(&s->adapt, s->data, s->size, out)) {
        LOG_ERR("VideoToolbox: its access unit cannot be read");
        return PH_ENCODER_FAILED;
    }
    return PH_ENCODER_OK;
}

enum ph_encoder_result ph_vt_session_encode(struct ph_vt_session *s,
        void *image, bool keyframe, int64_t wait_ms,
        struct ph_encoder_output *out)
{
    if (s->broken) {
        s->vt->CFRelease(image);
        return PH_ENCODER_FAILED;
    }
    pthread_mutex_lock(&s->lock);
    s->image = image;
    s->keyframe = keyframe;
    s->frame++;
    s->status = 0;
    s->came = false;
    s->dropped = false;
    s->state = WANTED;
    pthread_cond_broadcast(&s->changed);
    s->broken = !wait_locked(s, wait_ms);
    enum ph_encoder_result result = PH_ENCODER_FAILED;
    if (s->broken) {
        LOG_ERR("VideoToolbox has not answered for %lld ms",
                (long long)wait_ms);
    } else {
        s->state = IDLE;
        result = finish(s, out);
    }
    pthread_mutex_unlock(&s->lock);
    return result;
}
