/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages of version 1: docs/protocol.md. Each request gets exactly one
 * answer, since such guests take whatever comes next for it. */
#include "hostd/session_private.h"

#define LOG_MODULE "session"
#include "common/log.h"

static bool reply_error(
        struct ph_session *s, struct ph_job *job, int32_t code, const char *why)
{
    uint8_t buf[PH_JOB_REPLY_MAX];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    LOG_DBG("guest %u: %s", s->number, why);
    ph_hxfr_write_error(&w, s->header.session, code, why);
    return job ? ph_session_reply_job(s, job, &w) : ph_session_reply(s, &w);
}

static bool reply_empty(struct ph_session *s, uint8_t type)
{
    uint8_t buf[PH_HXFR_HEADER_SIZE];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    ph_hxfr_write_empty(&w, type, s->header.session);
    return ph_session_skip(s) && ph_session_reply(s, &w);
}

/* Reads the request into the job. *why: what is wrong with it, and *code;
 * NULL: nothing. False: the connection is over. */
static bool read_request(struct ph_session *s, struct ph_job *job,
        const char **why, int32_t *code)
{
    uint8_t fixed[PH_HXFR_FRAME_REQUEST_SIZE];
    bool over = false;
    *code = PH_HXFR_ERR_INVALID;
    *why = NULL;
    if (s->left < sizeof(fixed)) {
        *why = "FRAME_REQUEST is shorter than 44 bytes";
        return ph_session_skip(s);
    }
    if (!ph_session_read(s, fixed, sizeof(fixed))) {
        return false;
    }
    if (!ph_hxfr_parse_frame_request(&s->header, fixed, &job->picture)) {
        *why = "FRAME_REQUEST: format, size, stride and number of bytes do "
               "not fit";
        return ph_session_skip(s);
    }
    if (!job->picture.has_pixels) {
        *code = PH_HXFR_ERR_NO_RESOURCE;
        *why = job->picture.resource_id
                ? "this host cannot read resources: send pixels"
                : "resource 0 without pixels names nothing";
        return true;
    }
    if (!ph_session_read_rest(s, &job->payload, &over)) {
        return false;
    }
    if (over) {
        *code = PH_HXFR_ERR_BUSY;
        *why = "the host has no memory left for this frame";
    }
    return true;
}

/* A guest that sends more than we take in waits; what its window is was
 * never said. */
static bool handle_frame_request(struct ph_session *s)
{
    const char *why = NULL;
    int32_t code = 0;
    struct ph_job *job = ph_jobs_acquire(&s->jobs, s->window);
    if (!job) {
        return false;
    }
    if (!read_request(s, job, &why, &code)) {
        ph_jobs_release(&s->jobs, job);
        return false;
    }
    if (why) {
        return reply_error(s, job, code, why);
    }
    job->type = PH_JOB_PICTURE;
    job->keyframe = job->picture.force_keyframe;
    return ph_session_queue(s, job);
}

/* Counts from the next frame on. Not its size: frames say theirs. Not its
 * level: the encoder knows which one it made. */
static void configure(struct ph_session *s, const struct ph_hxfr_config *c)
{
    enum {
        LEAST_BITRATE = 10000,
        MOST_BITRATE = 1000000000,
        MOST_FPS = 240
    };
    if (c->bitrate) {
        s->rate.bitrate = PH_MIN(PH_MAX(c->bitrate, (uint32_t)LEAST_BITRATE),
                (uint32_t)MOST_BITRATE);
    }
    if (c->fps_num) {
        uint32_t fps = c->fps_num / c->fps_den;
        s->rate.fps = PH_MIN(PH_MAX(fps, 1u), (uint32_t)MOST_FPS);
    }
    if (c->profile) {
        s->rate.profile = c->profile;
    }
}

static bool handle_config(struct ph_session *s)
{
    uint8_t payload[PH_HXFR_CONFIG_SIZE];
    struct ph_hxfr_config c;
    if (s->left != sizeof(payload)) {
        return ph_session_skip(s) &&
                reply_error(s, NULL, PH_HXFR_ERR_INVALID,
                        "CONFIG_REQ has not 28 bytes");
    }
    if (!ph_session_read(s, payload, sizeof(payload))) {
        return false;
    }
    if (!ph_hxfr_parse_config(payload, sizeof(payload), &c)) {
        return reply_error(s, NULL, PH_HXFR_ERR_INVALID,
                "CONFIG_REQ: a value is out of range");
    }
    configure(s, &c);
    return reply_empty(s, PH_HXFR_CONFIG_RESP);
}

/* SUBSCRIBE, ENABLE_SCANOUT, DISABLE_SCANOUT: this host has no scanouts. */
static bool handle_scanout(struct ph_session *s)
{
    uint8_t payload[4] = {0};
    uint8_t buf[128];
    uint32_t id = 0;
    size_t len = PH_MIN((size_t)s->left, sizeof(payload));
    if (!ph_session_read(s, payload, len) || !ph_session_skip(s)) {
        return false;
    }
    ph_hxfr_parse_scanout_id(payload, len, &id);
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    if (s->header.type == PH_HXFR_SUBSCRIBE) {
        ph_hxfr_write_subscribe_resp(&w, s->header.session, id, false);
    } else {
        ph_hxfr_write_scanout_resp(&w, s->header.session, id, false, "");
    }
    return ph_session_reply(s, &w);
}

bool ph_session_handle_v1(struct ph_session *s)
{
    switch (s->header.type) {
    case PH_HXFR_FRAME_REQUEST:
        return handle_frame_request(s);
    case PH_HXFR_KEYFRAME_REQ:
        s->keyframe_wanted = true;
        return true;
    case PH_HXFR_CONFIG_REQ:
        return handle_config(s);
    case PH_HXFR_PING:
        return reply_empty(s, PH_HXFR_PONG);
    case PH_HXFR_SUBSCRIBE:
    case PH_HXFR_ENABLE_SCANOUT:
    case PH_HXFR_DISABLE_SCANOUT:
        return handle_scanout(s);
    default:
        return true; /* skipped, and not answered */
    }
}
