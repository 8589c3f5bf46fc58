/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The encoder thread of a session: works the jobs off, answers each. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "hostd/session_private.h"
#include "proto/h264.h"
#include "video/delta.h"

#define LOG_MODULE "session"
#include "common/log.h"

bool ph_reason_set(struct ph_reason *reason, int32_t code, const char *fmt, ...)
{
    va_list ap;
    reason->code = code;
    va_start(ap, fmt);
    vsnprintf(reason->text, sizeof(reason->text), fmt, ap);
    va_end(ap);
    return false;
}

void ph_session_close_encoder(struct ph_session *s)
{
    if (s->encoder) {
        s->encoder->ops->close(s->encoder);
        s->encoder = NULL;
        s->quick = (struct ph_h264_quick){0};
        pthread_mutex_lock(&s->stats_lock);
        s->stats.encoder = NULL;
        pthread_mutex_unlock(&s->stats_lock);
        ph_budget_give(s->config->budget, s->encoder_memory);
    }
}

static bool open_encoder(struct ph_session *s,
        const struct ph_encoder_config *config, struct ph_reason *why)
{
    enum {
        /* What an encoder keeps, measured with x264 as we use it: 8 MB at
         * 640x360, 30 at 1080p, 86 at 2160p; and a picture to refine. */
        BYTES_PER_PIXEL = 13,
        BYTES_BESIDES = 6 << 20
    };
    const struct ph_encoder_ops *ops = s->config->encoder;
    size_t memory = (size_t)config->width * config->height * BYTES_PER_PIXEL +
            BYTES_BESIDES;
    char error[160] = "";
    if (!ph_budget_take(s->config->budget, memory)) {
        return ph_reason_set(why, PH_HXFR_ERR_BUSY,
                "the host has no memory left for an encoder");
    }
    s->encoder = ops->open(ops, config, error, sizeof(error));
    if (!s->encoder) {
        LOG_ERR("guest %u: %s", s->number, error);
        ph_budget_give(s->config->budget, memory);
        return ph_reason_set(why, PH_HXFR_ERR_ENCODE, "%s", error);
    }
    s->encoder_memory = memory;
    s->encoder_config = *config;
    s->opened_ns = ph_clock_ns();
    return true;
}

static bool is_young(const struct ph_session *s)
{
    return ph_clock_ns() - s->opened_ns < s->config->reopen_ms * PH_NS_PER_MS;
}

/* Makes the encoder one for what is held, at the rate that is wanted. */
static bool prepare_encoder(
        struct ph_session *s, const struct ph_rate *rate, struct ph_reason *why)
{
    struct ph_encoder_config *have = &s->encoder_config;
    struct ph_encoder_config want = {
            .width = s->held.picture.width,
            .height = s->held.picture.height,
            .bitrate = rate->bitrate,
            .fps = rate->fps,
            .profile = rate->profile,
            .colour = s->held.info.colour,
    };
    bool other = have->fps != want.fps || have->profile != want.profile;
    if (s->encoder && (other || have->bitrate != want.bitrate)) {
        bool live = s->encoder->ops->reconfigure(s->encoder, &want) ==
                PH_ENCODER_LIVE;
        if (!live && !other && is_young(s)) {
            return true; /* asked again with the next picture */
        }
        if (!live) {
            ph_session_close_encoder(s);
        }
        *have = want;
    }
    return s->encoder || open_encoder(s, &want, why);
}

static const char *find_fault(
        enum ph_encoder_result result, const struct ph_encoder_output *out)
{
    if (result != PH_ENCODER_OK) {
        return result == PH_ENCODER_HELD ? "the encoder kept the frame"
                                         : "the encoder failed";
    }
    if (out->size > PH_HXFR_MAX_ACCESS_UNIT) {
        return "the access unit is too large";
    }
    if (out->keyframe && !ph_h264_is_entry(out->data, out->size)) {
        return "a keyframe came without parameter sets that can be read";
    }
    return NULL;
}

static void count_frame(
        struct ph_session *s, const struct ph_encoder_output *out, int64_t ns)
{
    struct ph_session_stats *stats = &s->stats;
    pthread_mutex_lock(&s->stats_lock);
    stats->encoder = s->encoder->ops->name;
    stats->width = s->encoder_config.width;
    stats->height = s->encoder_config.height;
    stats->frames++;
    stats->keyframes += out->keyframe;
    ph_times_add(&stats->encode, ns / PH_NS_PER_US);
    pthread_mutex_unlock(&s->stats_lock);
}

static void count_failure(struct ph_session *s)
{
    pthread_mutex_lock(&s->stats_lock);
    s->stats.failed++;
    pthread_mutex_unlock(&s->stats_lock);
}

/* Which step of refinement a job is, 0: none. What changes the picture begins
 * anew. All steps together stay below a second's bits: no further one begins
 * when half of them are used, and none is larger than what is left. */
static int next_step(struct ph_session *s, const struct ph_job *job, bool anew)
{
    bool still = job->type == PH_JOB_FRAME && job->message == PH_HXFR_REPEAT &&
            !job->keyframe && !anew;
    if (!still) {
        s->refine_step = 0;
        s->refine_bytes = 0;
        return 0;
    }
    if (!(job->frame.flags & PH_HXFR_FRAME_REFINE) ||
            !(s->capabilities & PH_HXFR_CAP_REFINE) ||
            s->refine_step >= PH_ENCODER_STEPS ||
            s->refine_bytes > s->encoder_config.bitrate / 8 / 2) {
        return 0;
    }
    return ++s->refine_step;
}

static void note_step(
        struct ph_session *s, int step, const struct ph_encoder_output *out)
{
    if (step) {
        LOG_DBG("guest %u: step %d of refinement: %zu bytes", s->number, step,
                out->size);
        s->refine_bytes += out->size;
        s->refine_step = out->fine ? PH_ENCODER_STEPS : step;
    }
}

static bool encode(struct ph_session *s, const struct ph_job *job,
        struct ph_encoder_output *out, struct ph_reason *why)
{
    int64_t begun = ph_clock_ns();
    bool anew = !s->encoder;
    int step = next_step(s, job, anew);
    if (ph_session_quick(s, job, out)) {
        count_frame(s, out, ph_clock_ns() - begun);
        return true; /* the encoder still has to hear of what changed */
    }
    if (!prepare_encoder(s, &job->rate, why)) {
        return false;
    }
    struct ph_encoder_input in = {
            .picture = &s->held.picture,
            .keyframe = job->keyframe || anew,
            .changed = s->all_changed || anew ? NULL : &s->changed,
            .refine = step,
    };
    enum ph_encoder_result r = s->encoder->ops->encode(s->encoder, &in, out);
    const char *fault = find_fault(r, out);
    if (!fault) {
        count_frame(s, out, ph_clock_ns() - begun);
        s->all_changed = false;
        ph_region_clear(&s->changed);
        s->encoded_ns = ph_clock_ns();
        ph_h264_quick_note(&s->quick, out->data, out->size);
        note_step(s, step, out);
        return true;
    }
    /* The next frame starts anew, with a keyframe. */
    if (r != PH_ENCODER_FAILED) { /* else it said so itself */
        LOG_ERR("guest %u: %s: %s", s->number, s->encoder->ops->name, fault);
    }
    ph_session_close_encoder(s);
    return ph_reason_set(why, PH_HXFR_ERR_ENCODE, "%s", fault);
}

/* Each answer: from here on the guest may send another request. */

static bool answer(
        struct ph_session *s, struct ph_job *job, const struct ph_writer *w)
{
    ph_jobs_answered(&s->jobs, job);
    return ph_session_send(s, w);
}

static bool answer_unit(struct ph_session *s, struct ph_job *job,
        const struct ph_writer *w, const struct ph_encoder_output *au)
{
    struct iovec iov[] = {{w->data, w->len}, {(void *)au->data, au->size}};
    ph_jobs_answered(&s->jobs, job);
    return ph_session_write(s, iov, 2, -1);
}

static bool answer_failure(struct ph_session *s, struct ph_job *job,
        uint32_t sequence, const struct ph_reason *why)
{
    uint8_t buf[PH_JOB_REPLY_MAX];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    struct ph_hxfr_failure failure = {sequence, why->code, {0}};
    count_failure(s);
    LOG_DBG("guest %u: request %u: %s", s->number, sequence, why->text);
    memcpy(failure.text, why->text, sizeof(failure.text));
    ph_hxfr_write_failure(&w, job->session, &failure);
    return answer(s, job, &w);
}

static bool do_reply(struct ph_session *s, struct ph_job *job)
{
    struct ph_writer w = {job->reply, job->reply_len, job->reply_len, true};
    return answer(s, job, &w);
}

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

static bool do_surface(struct ph_session *s, struct ph_job *job)
{
    struct ph_reason why;
    if (!ph_session_make_surface(s, job, &why)) {
        LOG_WARN("guest %u: %s", s->number, why.text);
        return answer_failure(s, job, job->surface.sequence, &why);
    }
    return !ph_session_has_slots(s, &s->held.info) ||
            send_slots(s, job->session);
}

static bool do_picture(struct ph_session *s, struct ph_job *job)
{
    const struct ph_hxfr_frame_request *q = &job->picture;
    struct ph_encoder_output au = {0};
    struct ph_reason why;
    uint8_t buf[PH_JOB_REPLY_MAX];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    if (!ph_session_draw_picture(s, job, &why) || !encode(s, job, &au, &why)) {
        count_failure(s);
        ph_hxfr_write_error(&w, job->session, why.code, why.text);
        return answer(s, job, &w);
    }
    struct ph_hxfr_frame_response resp = {q->pts, q->pts, au.keyframe, 1};
    ph_hxfr_write_frame_response(&w, job->session, &resp, (uint32_t)au.size);
    return answer_unit(s, job, &w, &au);
}

static uint32_t to_us(int64_t ns)
{
    return (uint32_t)(ns / PH_NS_PER_US);
}

static bool do_frame(struct ph_session *s, struct ph_job *job)
{
    const struct ph_hxfr_frame *frame = &job->frame;
    struct ph_encoder_output au = {0};
    struct ph_reason why;
    int64_t begin = ph_clock_ns();
    if (!ph_session_draw_frame(s, job, &why) || !encode(s, job, &au, &why)) {
        return answer_failure(s, job, frame->sequence, &why);
    }
    uint8_t buf[PH_HXFR_HEADER_SIZE + PH_HXFR_ACCESS_UNIT_SIZE];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    struct ph_hxfr_access_unit fixed = {
            .sequence = frame->sequence,
            .pts = frame->pts,
            .flags = (au.keyframe ? PH_HXFR_FRAME_KEYFRAME : 0U) |
                    (au.data == s->quick_unit && s->changed.count > 0
                                    ? PH_HXFR_FRAME_QUICK
                                    : 0U),
            .receive_us = job->receive_us,
            .wait_us = to_us(begin - job->received_ns),
            .encode_us = to_us(ph_clock_ns() - begin),
    };
    ph_hxfr_write_access_unit(&w, job->session, &fixed, (uint32_t)au.size);
    return answer_unit(s, job, &w, &au);
}

/* The answer says what is held; the guest knows what should be. */
static bool do_checksum(struct ph_session *s, struct ph_job *job)
{
    struct ph_hxfr_checksum own = {.sequence = job->checksum.sequence};
    uint8_t buf[PH_JOB_REPLY_MAX];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    if (s->held.memory && s->shown && s->held_serial == job->serial) {
        own.sum = ph_delta_sum(&s->held.picture);
    }
    if (own.sum != job->checksum.sum) {
        LOG_WARN("guest %u: its picture is not what is held after frame %u",
                s->number, own.sequence);
    }
    ph_hxfr_write_checksum(&w, job->session, &own);
    return answer(s, job, &w);
}

static bool do_job(struct ph_session *s, struct ph_job *job)
{
    switch (job->type) {
    case PH_JOB_REPLY:
        return do_reply(s, job);
    case PH_JOB_SURFACE:
        return do_surface(s, job);
    case PH_JOB_PICTURE:
        return do_picture(s, job);
    case PH_JOB_FRAME:
        return do_frame(s, job);
    case PH_JOB_CHECKSUM:
        return do_checksum(s, job);
    }
    return false;
}

/* Nothing came for a while: only the screen is kept, for REPEAT. A version 1
 * guest sends whole pictures, and may be one that vanished in silence: nothing
 * of it is kept. */
static void become_idle(struct ph_session *s)
{
    LOG_DBG("guest %u: idle, its encoder is given back", s->number);
    ph_session_close_encoder(s);
    ph_jobs_trim(&s->jobs);
    ph_buffer_finish(&s->unpacked);
    if (s->held_serial == 0) {
        ph_surface_finish(&s->held);
        s->shown = false;
    }
}

void *ph_session_encoder_thread(void *session)
{
    struct ph_session *s = session;
    for (;;) {
        bool idle = false;
        bool keeps = s->encoder || (s->held.memory && s->held_serial == 0);
        int64_t wait_ms = keeps ? (int64_t)s->config->idle_ms : -1;
        struct ph_job *job = ph_jobs_pop(&s->jobs, wait_ms, &idle);
        if (idle) {
            become_idle(s);
            continue;
        }
        if (!job) {
            break;
        }
        if (!do_job(s, job)) {
            ph_jobs_close(&s->jobs, true);
        }
        ph_jobs_done(&s->jobs, job);
    }
    ph_session_close_encoder(s);
    return NULL;
}
