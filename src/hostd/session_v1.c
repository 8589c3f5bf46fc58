/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages of version 1: docs/protocol.md. Each request gets exactly one
 * answer, since such guests take whatever comes next for it. */
#include "hostd/session_private.h"

#define LOG_MODULE "session"
#include "common/log.h"

static bool send_error(
        struct ph_session *s, uint16_t session, int32_t code, const char *text)
{
    uint8_t buf[PH_HXFR_HEADER_SIZE + PH_HXFR_ERROR_SIZE];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    LOG_DBG("guest %u: %s", s->number, text);
    ph_hxfr_write_error(&w, session, code, text);
    return ph_session_send(s, &w);
}

static bool send_empty(struct ph_session *s, uint8_t type, uint16_t session)
{
    uint8_t buf[PH_HXFR_HEADER_SIZE];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    ph_hxfr_write_empty(&w, type, session);
    return ph_session_send(s, &w);
}

static bool handle_frame_request(
        struct ph_session *s, const struct ph_hxfr_header *h)
{
    uint8_t fixed[PH_HXFR_FRAME_REQUEST_SIZE];
    struct ph_job job = {.type = PH_JOB_PICTURE, .session = h->session};
    if (h->payload < sizeof(fixed)) {
        return ph_session_skip(s, h->payload) &&
                send_error(s, h->session, PH_HXFR_ERR_INVALID,
                        "FRAME_REQUEST is shorter than 44 bytes");
    }
    if (!ph_session_read(s, fixed, sizeof(fixed))) {
        return false;
    }
    size_t pixels = h->payload - sizeof(fixed);
    if (!ph_hxfr_parse_frame_request(h, fixed, &job.picture)) {
        return ph_session_skip(s, pixels) &&
                send_error(s, h->session, PH_HXFR_ERR_INVALID,
                        "FRAME_REQUEST: format, size, stride and number of "
                        "bytes do not fit");
    }
    if (!job.picture.has_pixels) {
        return send_error(s, h->session, PH_HXFR_ERR_NO_RESOURCE,
                job.picture.resource_id
                        ? "this host cannot read resources: send pixels"
                        : "resource 0 without pixels names nothing");
    }
    bool over = false;
    job.payload = ph_session_take_buffer(s);
    if (!ph_session_read_growing(s, &job.payload, pixels, &over)) {
        ph_session_give_buffer(s, &job.payload);
        return over &&
                send_error(s, h->session, PH_HXFR_ERR_BUSY,
                        "the host has no memory left for this frame");
    }
    return ph_session_queue(s, &job);
}

static bool handle_config(struct ph_session *s, const struct ph_hxfr_header *h)
{
    enum {
        LEAST_BITRATE = 10000,
        MOST_FPS = 240
    };
    uint8_t payload[PH_HXFR_CONFIG_SIZE];
    struct ph_hxfr_config c;
    if (h->payload != sizeof(payload)) {
        return ph_session_skip(s, h->payload) &&
                send_error(s, h->session, PH_HXFR_ERR_INVALID,
                        "CONFIG_REQ has not 28 bytes");
    }
    if (!ph_session_read(s, payload, sizeof(payload))) {
        return false;
    }
    if (!ph_hxfr_parse_config(payload, sizeof(payload), &c)) {
        return send_error(s, h->session, PH_HXFR_ERR_INVALID,
                "CONFIG_REQ: a value is out of range");
    }
    pthread_mutex_lock(&s->lock);
    if (c.bitrate) {
        s->bitrate = PH_MIN(PH_MAX(c.bitrate, (uint32_t)LEAST_BITRATE),
                (uint32_t)INT32_MAX);
    }
    if (c.fps_num) {
        uint32_t fps = c.fps_num / c.fps_den;
        s->fps = PH_MIN(PH_MAX(fps, 1u), (uint32_t)MOST_FPS);
    }
    pthread_mutex_unlock(&s->lock);
    return send_empty(s, PH_HXFR_CONFIG_RESP, h->session);
}

/* SUBSCRIBE, ENABLE_SCANOUT, DISABLE_SCANOUT: this host has no scanouts. */
static bool handle_scanout(struct ph_session *s, const struct ph_hxfr_header *h)
{
    uint8_t payload[16];
    uint8_t buf[128];
    uint32_t id = 0;
    if (h->payload > sizeof(payload)) {
        return ph_session_skip(s, h->payload);
    }
    if (!ph_session_read(s, payload, h->payload)) {
        return false;
    }
    ph_hxfr_parse_scanout_id(payload, h->payload, &id);
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    if (h->type == PH_HXFR_SUBSCRIBE) {
        ph_hxfr_write_subscribe_resp(&w, h->session, id, false);
    } else {
        ph_hxfr_write_scanout_resp(&w, h->session, id, false, "");
    }
    return ph_session_send(s, &w);
}

static bool handle_keyframe(
        struct ph_session *s, const struct ph_hxfr_header *h)
{
    pthread_mutex_lock(&s->lock);
    s->keyframe_wanted = true;
    pthread_mutex_unlock(&s->lock);
    return ph_session_skip(s, h->payload);
}

bool ph_session_handle_v1(struct ph_session *s, const struct ph_hxfr_header *h)
{
    switch (h->type) {
    case PH_HXFR_FRAME_REQUEST:
        return handle_frame_request(s, h);
    case PH_HXFR_KEYFRAME_REQ:
        return handle_keyframe(s, h);
    case PH_HXFR_CONFIG_REQ:
        return handle_config(s, h);
    case PH_HXFR_PING:
        return ph_session_skip(s, h->payload) &&
                send_empty(s, PH_HXFR_PONG, h->session);
    case PH_HXFR_SUBSCRIBE:
    case PH_HXFR_ENABLE_SCANOUT:
    case PH_HXFR_DISABLE_SCANOUT:
        return handle_scanout(s, h);
    default:
        return ph_session_skip(s, h->payload);
    }
}
