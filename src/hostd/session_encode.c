/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The encoder thread of a session: works the queue off, answers each job. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "hostd/session_private.h"

#define LOG_MODULE "session"
#include "common/log.h"

/* Why a job got no access unit. */
struct failure {
    int32_t code;
    char text[PH_HXFR_ERROR_TEXT];
};

static bool fail(struct failure *f, int32_t code, const char *text)
{
    f->code = code;
    snprintf(f->text, sizeof(f->text), "%s", text);
    return false;
}

static void close_encoder(struct ph_session *s)
{
    if (s->encoder) {
        s->encoder->ops->close(s->encoder);
        s->encoder = NULL;
    }
}

/* The next job, or false at the end. After idle_ms without one the encoder is
 * given back. */
static bool next_job(struct ph_session *s, struct ph_job *job)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += s->config->idle_ms / 1000;
    until.tv_nsec += s->config->idle_ms % 1000 * PH_NS_PER_MS;
    if (until.tv_nsec >= PH_NS_PER_S) {
        until.tv_nsec -= PH_NS_PER_S;
        until.tv_sec++;
    }
    pthread_mutex_lock(&s->lock);
    while (s->count == 0 && !s->ending) {
        if (!s->encoder) {
            pthread_cond_wait(&s->work, &s->lock);
        } else if (pthread_cond_timedwait(&s->work, &s->lock, &until) ==
                ETIMEDOUT) {
            LOG_DBG("guest %u: idle, its encoder is given back", s->number);
            close_encoder(s);
        }
    }
    bool ok = !s->ending;
    if (ok) {
        *job = s->jobs[s->head];
        s->jobs[s->head].payload = (struct ph_buffer){0};
    }
    pthread_mutex_unlock(&s->lock);
    return ok;
}

/* Answered: the guest may send the next one. The place in the queue is given
 * up before the answer goes out, else a fast guest would meet a full queue. */
static void end_job(struct ph_session *s)
{
    pthread_mutex_lock(&s->lock);
    s->head = (s->head + 1) % PH_SESSION_QUEUE;
    s->count--;
    pthread_mutex_unlock(&s->lock);
}

static bool check_size(uint32_t width, uint32_t height, struct failure *f)
{
    uint64_t mbs = (uint64_t)((width + 15) / 16) * ((height + 15) / 16);
    if (mbs <= PH_ENCODER_MAX_MACROBLOCKS) {
        return true;
    }
    fail(f, PH_HXFR_ERR_ENCODE, "");
    snprintf(f->text, sizeof(f->text),
            "%ux%u has %llu macroblocks; H.264 allows %d", width, height,
            (unsigned long long)mbs, PH_ENCODER_MAX_MACROBLOCKS);
    return false;
}

/* --- surfaces --- */

static bool send_slots(struct ph_session *s, uint16_t session)
{
    uint8_t buf[64];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    ph_hxfr_write_slots(&w, session, &s->held.slots);
    struct iovec iov = {w.data, w.len};
    bool ok = ph_session_write(s, &iov, 1, s->held.fd);
    ph_close(&s->held.fd);
    return ok;
}

static bool make_surface(struct ph_session *s,
        const struct ph_hxfr_surface *info, bool shared, struct failure *f)
{
    close_encoder(s);
    ph_surface_finish(&s->held);
    s->shown = false;
    if (!check_size(info->width, info->height, f)) {
        return false;
    }
    struct ph_budget *budget = s->config->budget;
    bool ok = shared ? ph_surface_init_shared(&s->held, budget, info,
                               (uint8_t)PH_MAX(s->window + 1, 3u))
                     : ph_surface_init(&s->held, budget, info);
    return ok ||
            fail(f, PH_HXFR_ERR_BUSY,
                    "the host has no memory left for this screen");
}

static bool do_surface(struct ph_session *s, struct ph_job *job)
{
    struct failure f = {0};
    uint8_t buf[PH_HXFR_HEADER_SIZE + 8 + PH_HXFR_ERROR_TEXT];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    bool shared = s->capabilities & PH_HXFR_CAP_MEMFD &&
            job->surface.format == PH_HXFR_NV12;
    bool made = make_surface(s, &job->surface, shared, &f);
    end_job(s);
    if (made) {
        return !s->held.shared || send_slots(s, job->session);
    }
    LOG_WARN("guest %u: %s", s->number, f.text);
    struct ph_hxfr_failure failure = {job->surface.sequence, f.code, {0}};
    memcpy(failure.text, f.text, sizeof(failure.text));
    ph_hxfr_write_failure(&w, job->session, &failure);
    return ph_session_send(s, &w);
}

/* Version 1 announces nothing: a frame of another size or format is a new
 * surface. NV12 is taken as GStreamer's default for its height; what we
 * convert ourselves is BT.601. */
static bool match_surface(struct ph_session *s,
        const struct ph_hxfr_frame_request *q, struct failure *f)
{
    enum {
        SD_LINES = 576
    };
    const struct ph_hxfr_surface *have = &s->held.info;
    if (s->held.memory && have->width == q->width &&
            have->height == q->height && have->format == q->format) {
        return true;
    }
    bool bt709 = q->format == PH_HXFR_NV12 && q->height > SD_LINES;
    uint8_t matrix = bt709 ? 1 : 6;
    struct ph_hxfr_surface info = {
            .width = q->width,
            .height = q->height,
            .format = q->format,
            .colour = {matrix, matrix, matrix, false},
    };
    return make_surface(s, &info, false, f);
}

/* --- frames --- */

static bool open_encoder(
        struct ph_session *s, uint32_t bitrate, uint32_t fps, struct failure *f)
{
    char why[160] = "";
    s->encoder_config = (struct ph_encoder_config){
            .width = s->held.picture.width,
            .height = s->held.picture.height,
            .bitrate = bitrate,
            .fps = fps,
            .colour = s->held.info.colour,
    };
    s->encoder = s->config->encoder->open(&s->encoder_config, why, sizeof(why));
    if (!s->encoder) {
        LOG_ERR("guest %u: %s", s->number, why);
        return fail(f, PH_HXFR_ERR_ENCODE, why);
    }
    return true;
}

static bool encode(struct ph_session *s, int64_t pts, bool keyframe,
        struct ph_encoder_output *out, struct failure *f)
{
    pthread_mutex_lock(&s->lock);
    keyframe |= s->keyframe_wanted;
    s->keyframe_wanted = false;
    uint32_t bitrate = s->bitrate;
    uint32_t fps = s->fps;
    pthread_mutex_unlock(&s->lock);

    if (s->encoder && bitrate != s->encoder_config.bitrate) {
        s->encoder_config.bitrate = bitrate;
        if (!s->encoder->ops->set_bitrate(s->encoder, bitrate)) {
            close_encoder(s);
        }
    }
    if (!s->encoder) {
        keyframe = true;
        if (!open_encoder(s, bitrate, fps, f)) {
            return false;
        }
    }
    struct ph_encoder_input in = {&s->held.picture, pts, keyframe};
    enum ph_encoder_result r = s->encoder->ops->encode(s->encoder, &in, out);
    if (r == PH_ENCODER_OK && out->size <= PH_HXFR_MAX_ACCESS_UNIT) {
        return true;
    }
    close_encoder(s); /* the next frame starts anew, with a keyframe */
    return fail(f, PH_HXFR_ERR_ENCODE,
            r == PH_ENCODER_HELD ? "the encoder kept the frame"
                                 : "the encoder failed");
}

static bool do_picture(struct ph_session *s, struct ph_job *job)
{
    struct failure f = {0};
    struct ph_encoder_output au = {0};
    const struct ph_hxfr_frame_request *q = &job->picture;
    uint8_t head[PH_HXFR_HEADER_SIZE + PH_HXFR_ERROR_SIZE];
    struct ph_writer w = ph_writer(head, sizeof(head));
    bool ok = match_surface(s, q, &f);
    if (ok) {
        ph_surface_draw(&s->held, q, job->payload.data);
        s->shown = true;
        ok = encode(s, q->pts, q->force_keyframe, &au, &f);
    }
    ph_session_give_buffer(s, &job->payload);
    end_job(s);
    if (!ok) {
        ph_hxfr_write_error(&w, job->session, f.code, f.text);
        return ph_session_send(s, &w);
    }
    struct ph_hxfr_frame_response resp = {q->pts, q->pts, au.keyframe, 1};
    ph_hxfr_write_frame_response(&w, job->session, &resp, (uint32_t)au.size);
    struct iovec iov[] = {{w.data, w.len}, {(void *)au.data, au.size}};
    return ph_session_write(s, iov, 2, -1);
}

/* Brings the held surface to what the frame says. */
static bool update_surface(
        struct ph_session *s, const struct ph_job *job, struct failure *f)
{
    const struct ph_hxfr_frame *frame = &job->frame;
    if (job->over_budget) {
        return fail(f, PH_HXFR_ERR_BUSY,
                "the host has no memory left for this frame");
    }
    if (!s->held.memory) {
        return fail(f, PH_HXFR_ERR_NOT_CONFIGURED,
                "the surface was refused, so there is nothing to draw on");
    }
    switch (job->message) {
    case PH_HXFR_SLOT_FRAME:
        if (!s->held.shared || frame->slot >= s->held.slots.count) {
            return fail(f, PH_HXFR_ERR_INVALID, "there is no such slot");
        }
        ph_surface_use_slot(&s->held, frame->slot);
        break;
    case PH_HXFR_TILES:
        if (s->held.shared) {
            return fail(f, PH_HXFR_ERR_INVALID,
                    "tiles, where slots were agreed on");
        }
        ph_surface_patch(
                &s->held, frame, frame->rects + (size_t)frame->rect_count * 8);
        break;
    default:
        if (!s->shown) {
            return fail(f, PH_HXFR_ERR_NOT_CONFIGURED,
                    "REPEAT before the first frame");
        }
    }
    s->shown = true;
    return true;
}

static uint32_t to_us(int64_t ns)
{
    return (uint32_t)(ns / PH_NS_PER_US);
}

static bool do_frame(struct ph_session *s, struct ph_job *job)
{
    struct failure f = {0};
    struct ph_encoder_output au = {0};
    const struct ph_hxfr_frame *frame = &job->frame;
    int64_t begin = ph_clock_ns();
    bool ok = update_surface(s, job, &f) &&
            encode(s, frame->pts, frame->flags & PH_HXFR_FRAME_KEYFRAME, &au,
                    &f);
    int64_t end = ph_clock_ns();
    ph_session_give_buffer(s, &job->payload);
    end_job(s);

    uint8_t head[PH_HXFR_HEADER_SIZE + 8 + PH_HXFR_ERROR_TEXT];
    struct ph_writer w = ph_writer(head, sizeof(head));
    if (!ok) {
        LOG_DBG("guest %u: frame %u: %s", s->number, frame->sequence, f.text);
        struct ph_hxfr_failure failure = {frame->sequence, f.code, {0}};
        memcpy(failure.text, f.text, sizeof(failure.text));
        ph_hxfr_write_failure(&w, job->session, &failure);
        return ph_session_send(s, &w);
    }
    struct ph_hxfr_access_unit answer = {
            .sequence = frame->sequence,
            .pts = frame->pts,
            .flags = au.keyframe ? PH_HXFR_FRAME_KEYFRAME : 0,
            .receive_us = job->receive_us,
            .wait_us = to_us(begin - job->received_ns),
            .encode_us = to_us(end - begin),
    };
    ph_hxfr_write_access_unit(&w, job->session, &answer, (uint32_t)au.size);
    struct iovec iov[] = {{w.data, w.len}, {(void *)au.data, au.size}};
    return ph_session_write(s, iov, 2, -1);
}

static bool do_job(struct ph_session *s, struct ph_job *job)
{
    switch (job->type) {
    case PH_JOB_SURFACE:
        return do_surface(s, job);
    case PH_JOB_PICTURE:
        return do_picture(s, job);
    case PH_JOB_FRAME:
        return do_frame(s, job);
    }
    return false;
}

void *ph_session_encoder_thread(void *session)
{
    struct ph_session *s = session;
    struct ph_job job;
    while (next_job(s, &job) && do_job(s, &job)) {
    }
    close_encoder(s);
    return NULL;
}
